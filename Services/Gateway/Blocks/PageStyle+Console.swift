/// The look of the console: wide, with lists and tabs.
extension PageStyle {
    static let console = layout + controls + notices + tables + menus + entries + programs

    private static let layout = """
        body.console{max-width:76rem;padding-top:0}
        .console h1{font-size:1.875rem;margin:0 0 .5rem}
        .skip{position:absolute;left:-100rem}.skip:focus{left:1rem;top:.5rem}
        .top{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;\
        gap:.5rem 1.5rem;padding:.875rem 0;margin-bottom:1.5rem;border-bottom:1px solid var(--line)}
        .top nav{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1.5rem}
        .top ul{display:flex;list-style:none;margin:0;padding:0}
        .top nav a{display:inline-block;padding:.25rem 0;text-decoration:none}
        .top nav a:hover{text-decoration:underline}
        .top .brand{font-weight:700;font-size:1.25rem;color:var(--ink)}
        .crumbs ol{display:flex;flex-wrap:wrap;align-items:baseline;gap:.125rem .5rem;\
        list-style:none;margin:0 0 .75rem;padding:0;font-size:.9375rem;color:var(--soft)}
        .crumbs li{max-width:100%;overflow-wrap:anywhere}
        .crumbs li+li::before{content:"›";margin-right:.5rem}
        .crumbs a{display:inline-block;padding:.125rem 0}
        .title{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;\
        gap:.5rem 1.5rem;margin-bottom:1rem}
        .console .title h1{margin:0;overflow-wrap:anywhere}
        .tabs ul{display:flex;flex-wrap:wrap;gap:0 1.5rem;list-style:none;margin:0 0 1.5rem;\
        padding:0;border-bottom:1px solid var(--line)}
        .tabs a{display:block;padding:.5rem 0;color:var(--soft);text-decoration:none;\
        border-bottom:3px solid transparent;margin-bottom:-1px}
        .tabs a:hover{color:var(--ink)}
        .tabs [aria-current]{color:var(--ink);font-weight:700;border-bottom-color:var(--link)}
        .further{margin-top:2.5rem;padding-top:1.5rem;border-top:1px solid var(--line)}
        .further h2{margin-top:0}
        .after{margin-top:1.5rem}
        .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);\
        white-space:nowrap}

        """

    private static let controls = """
        .button{display:inline-block;padding:.625rem 1.25rem;border:1px solid var(--ink);\
        border-radius:.375rem;background:var(--ink);color:var(--paper);font-weight:700;\
        text-decoration:none;line-height:1.4}
        button.quiet,.button.quiet,button.danger,.button.danger{padding:.375rem .875rem;\
        border:1px solid var(--edge);background:none;color:var(--ink);font-size:1rem;\
        line-height:1.4}
        .button.second{background:none;border-color:var(--edge);color:var(--ink)}
        .button.second:hover{background:var(--code);filter:none}
        button.danger,.button.danger{border-color:var(--bad);color:var(--bad)}
        button:hover,.button:hover{filter:brightness(1.2)}
        button.quiet:hover,.button.quiet:hover{background:var(--code);filter:none}
        button.danger:hover,.button.danger:hover{background:var(--code);filter:none}
        .actions,.buttons{display:flex;flex-wrap:wrap;align-items:center;gap:.625rem;margin:0}
        .actions.export{margin-top:1.5rem}
        form.action{margin:0}
        p.buttons{margin-top:1.5rem;gap:.75rem 1.25rem}

        """

    private static let notices = """
        .notice>:first-child{margin-top:0}
        .done{border-color:var(--good)}.notice.done p,.notice.hint p{margin:0}
        .notice.hint{margin:0 0 1.5rem;border:0;border-left:3px solid var(--link);border-radius:0;\
        padding:.25rem 0 .25rem 1rem;color:inherit;font-size:inherit}
        p.hint{margin:.125rem 0 0;color:var(--soft);font-size:.9375rem}
        .state{white-space:nowrap}
        .state::before{content:"";display:inline-block;width:.625rem;height:.625rem;\
        margin-right:.4375rem;border-radius:50%;background:currentColor}
        .state.off{color:var(--soft)}
        .state.off::before{background:none;border:2px solid currentColor}

        """

    private static let tables = """
        table{width:100%;border-collapse:collapse;margin:.5rem 0 0}
        th,td{padding:.75rem 1rem .75rem 0;border-bottom:1px solid var(--line);text-align:left;\
        vertical-align:top;font-weight:400}
        thead th{padding-block:.375rem;vertical-align:baseline;color:var(--soft);\
        font-size:.9375rem;white-space:nowrap}
        thead a{display:inline-block;padding:.125rem 0;color:inherit}
        th:last-child,td:last-child{padding-right:0;text-align:right}
        td:last-child .buttons{justify-content:flex-end}
        tbody th{width:60%;overflow-wrap:anywhere}
        .number{text-align:right}:is(th,td).number:not(:last-child){padding-right:2rem}
        td.number{font-variant-numeric:tabular-nums}
        .name{font-weight:700}a.name{display:inline-block;padding:.0625rem 0}
        .path,.about{margin:0;color:var(--soft);font-size:.9375rem;line-height:1.45}
        .about{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;\
        overflow:hidden}
        .narrow-only{display:none}
        .count{margin:1.5rem 0 0;color:var(--soft)}
        .nothing{margin:1.5rem 0;padding:2.5rem 1rem;border:1px dashed var(--edge);\
        border-radius:.375rem;text-align:center;color:var(--soft)}
        .pages ul{display:flex;gap:1.5rem;list-style:none;margin:1rem 0 0;padding:0}
        .pages a{display:inline-block;padding:.25rem 0}
        dl.facts{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:0}
        dl.facts dt{color:var(--soft);font-size:.9375rem}dl.facts dd{margin:0;\
        overflow-wrap:anywhere}
        dl.kept{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(14rem,100%),1fr));\
        gap:.75rem 2rem;margin:1.5rem 0 0}
        dl.kept dt{color:var(--soft);font-size:.9375rem}dl.kept dd{margin:0;\
        overflow-wrap:anywhere;white-space:pre-line}
        @media(max-width:44rem){.wide-only{display:none}p.narrow-only{display:flex;\
        flex-wrap:wrap;gap:.125rem 1rem;margin:.25rem 0 0;font-size:.9375rem}
        tbody th{width:auto}}

        """

    private static let menus = """
        .menu{position:relative;display:inline-block;text-align:left}
        .menu summary{display:inline-block;list-style:none;min-width:2.25rem;padding:0 .5rem;\
        border:1px solid transparent;border-radius:.375rem;text-align:center;font-size:1.375rem;\
        line-height:1.5;color:var(--ink)}
        .menu summary::-webkit-details-marker{display:none}
        .menu summary:hover,.menu[open] summary{border-color:var(--edge)}
        .menu>ul,.menu-body{position:absolute;right:0;z-index:1;min-width:12rem;margin:.25rem 0 0;\
        padding:.5rem;list-style:none;background:var(--paper);border:1px solid var(--edge);\
        border-radius:.375rem;box-shadow:0 .5rem 1.5rem rgb(0 0 0/.2)}
        .menu li a{display:block;padding:.3125rem .625rem;border-radius:.25rem;\
        text-decoration:none}
        .menu li a:hover{background:var(--code)}
        .menu-body{display:flex;flex-direction:column;gap:.5rem}
        .menu-body button{width:100%}

        """

    private static let programs = """
        .secret{margin:1rem 0;padding:1rem;border:1px solid var(--edge);border-radius:.375rem;\
        background:var(--code)}
        .secret code{overflow-wrap:anywhere;user-select:all}
        label code{font-size:.875em;color:var(--soft)}
        .events{grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr))}
        .first{margin-bottom:2.5rem}.even tbody th{width:auto}
        @media(min-width:44.01rem){.even td{white-space:nowrap}.even .buttons{flex-wrap:nowrap}}
        td details,th details{margin-top:.25rem}
        th pre{margin:.5rem 0 0;max-height:20rem;overflow:auto;white-space:pre-wrap;\
        overflow-wrap:anywhere}

        """

    private static let entries = """
        fieldset{margin:0 0 2rem;padding:0;border:0;min-width:0}
        legend{padding:0;margin-bottom:.75rem;font-weight:700;font-size:1.125rem}
        .fields{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));\
        gap:0 2rem}
        .fields>.field{display:grid;grid-row:span 4;grid-template-rows:subgrid;align-content:start}
        .fields>.field>label{grid-row:1}.fields>.field>.hint{grid-row:2}
        .fields>.field>:is(input,select,textarea){grid-row:3}.fields>.field>.fault{grid-row:4}
        .fields>.box>:is(input,label){grid-row:3;margin-top:.25rem}
        .fields>.box>.heading{grid-area:1/1/auto/-1;margin:0;font-weight:700}
        .fields .wide{grid-column:1/-1;max-width:52rem}
        .field textarea[rows]{min-height:0}textarea[rows="8"]{min-height:12rem}
        .console .field>input:not([type=checkbox]),.console .field>select{min-height:3rem}
        .console form>.field{max-width:34rem}
        .box{display:grid;grid-template-columns:auto 1fr;align-items:center;gap:0 .625rem}
        .box input{width:1.25rem;height:1.25rem;margin:0;padding:0;accent-color:var(--link)}
        .box label{font-weight:400;padding:.1875rem 0}.box p{grid-column:2}
        .boxes{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(14rem,100%),1fr));\
        gap:.25rem 1.5rem}
        .boxes .field{margin:0}.boxes :is(legend,.hint,.fault){grid-column:1/-1}
        .filter{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));\
        gap:.75rem 1rem;align-items:end;margin:1.25rem 0 0}
        .filter .field{margin:0;max-width:none}
        .filter label{font-size:.9375rem;font-weight:400;color:var(--soft)}
        .console .filter .field>input,.console .filter .field>select{padding:.25rem .625rem;\
        font-size:1rem;height:2.5rem;min-height:0}
        .filter .last{display:flex;align-items:center;gap:1rem;min-height:2.5rem}

        """
}
