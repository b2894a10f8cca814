"""Reads mails as somebody else's program does, and prints what they say.

usage: parse.py FOLDER: a JSON object for each file *.eml, by its name, a line each.
"""

import email
import email.policy
import json
import pathlib
import sys
from email.header import decode_header, make_header


def name_of_sender(content):
    """The name before the address; the newer reader puts spaces between its encoded words, which
    RFC 2047 does not."""
    value = email.message_from_bytes(content)["from"]
    return str(make_header(decode_header(value.rsplit("<", 1)[0].strip()))) if "<" in value else ""


for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
    content = path.read_bytes()
    mail = email.message_from_bytes(content, policy=email.policy.default)
    defects = [repr(defect) for defect in mail.defects]
    for _, value in mail.items():
        defects += [repr(defect) for defect in getattr(value, "defects", ())]
    sender = mail["from"].addresses[0]
    print(
        json.dumps(
            {
                "file": path.stem,
                "headers": [name for name, _ in mail.items()],
                "defects": defects,
                "name": name_of_sender(content),
                "from": sender.addr_spec,
                "to": [address.addr_spec for address in mail["to"].addresses],
                "replyTo": mail["reply-to"].addresses[0].addr_spec if mail["reply-to"] else "",
                "subject": mail["subject"],
                "date": int(mail["date"].datetime.timestamp()),
                "id": mail["message-id"],
                "text": mail.get_content().replace("\r\n", "\n"),
            }
        )
    )
