/// Providers at which anybody can have an address; nobody joins an organization by them.
let publicMailDomains: Set<String> = Set(
    """
    126.com 139.com 163.com 189.cn aim.com aliyun.com aol.com arcor.de att.net bellsouth.net
    bigpond.com bluewin.ch bol.com.br btinternet.com centrum.cz charter.net comcast.net cox.net
    daum.net disroot.org duck.com earthlink.net email.cz email.it fastmail.com fastmail.fm
    foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net
    googlemail.com hanmail.net hey.com hotmail.co.jp hotmail.co.uk hotmail.com hotmail.de
    hotmail.es hotmail.fr hotmail.it hushmail.com icloud.com inbox.lv inbox.ru interia.pl
    internode.on.net juno.com laposte.net libero.it list.ru live.ca live.co.uk live.com
    live.com.au live.de live.fr live.it live.nl mac.com mail.com mail.de mail.ee mail.ru
    mailbox.org mailfence.com me.com msn.com naver.com netscape.net netzero.net nifty.com
    o2.pl onet.pl online.de optonline.net optusnet.com.au orange.fr outlook.co.uk outlook.com
    outlook.de outlook.es outlook.fr outlook.it outlook.jp pm.me poczta.onet.pl posteo.de
    proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com
    rogers.com runbox.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com
    sky.com sohu.com startmail.com sympatico.ca t-online.de talktalk.net telenet.be tiscali.it
    tuta.com tutanota.com tutanota.de uol.com.br verizon.net virgilio.it virgin.net
    virginmedia.com vodafone.de wanadoo.fr web.de windowslive.com wp.pl xtra.co.nz ya.ru
    yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br
    yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru yeah.net
    ymail.com ziggo.nl zoho.com zohomail.com
    """.split(whereSeparator: \.isWhitespace).map(String.init))
