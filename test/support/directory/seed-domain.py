#!/usr/bin/python3
"""Fills the database of a Samba domain controller that is not running: seed-domain.py DIRECTORY

Every password is Passw0rd! and the domain is corp.example.org.
"""

import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

directory = sys.argv[1]
parameters = LoadParm()
parameters.load(directory + "/smb.conf")
database = SamDB(url=directory + "/private/sam.ldb", session_info=system_session(), lp=parameters)
base = database.domain_dn()

GLOBAL_SECURITY, LOCAL_SECURITY, UNIVERSAL_SECURITY, GLOBAL_DISTRIBUTION = -2147483646, -2147483644, -2147483640, 2
NEVER = -9223372036854775808
DAY = -864000000000
NORMAL, DISABLED, SMARTCARD = 0x200, 0x202, 0x40200


def change(dn, attribute, value, flag=ldb.FLAG_MOD_REPLACE, controls=()):
    message = ldb.Message(ldb.Dn(database, dn))
    message[attribute] = ldb.MessageElement(value, flag, attribute)
    database.modify(message, list(controls))


def add_user(account, name=None, principal=None, where="OU=People", flags=NORMAL, **attributes):
    dn = f"CN={name or account},{where},{base}"
    principal = principal or f"{account}@corp.example.org"
    database.add({"dn": dn, "objectClass": "user", "sAMAccountName": account, "userPrincipalName": principal, **attributes})
    found = f"(sAMAccountName={ldb.binary_encode(account)})"
    database.setpassword(found, "Passw0rd!", force_change_at_next_login=False, username=account)
    change(dn, "userAccountControl", str(flags))
    return dn


def add_group(name, members=(), kind=GLOBAL_SECURITY, account=None, where="OU=Groups"):
    dn = f"CN={name},{where},{base}"
    database.add({"dn": dn, "objectClass": "group", "sAMAccountName": account or name, "groupType": str(kind)})
    if members:
        change(dn, "member", list(members), ldb.FLAG_MOD_ADD)
    return dn


def add_policy(name, rank, user, threshold=0, longest=NEVER):
    database.add(
        {
            "dn": f"CN={name},CN=Password Settings Container,CN=System,{base}",
            "objectClass": "msDS-PasswordSettings",
            "msDS-PasswordSettingsPrecedence": str(rank),
            "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
            "msDS-PasswordHistoryLength": "0",
            "msDS-PasswordComplexityEnabled": "FALSE",
            "msDS-MinimumPasswordLength": "0",
            "msDS-MinimumPasswordAge": "0",
            "msDS-MaximumPasswordAge": str(longest),
            "msDS-LockoutThreshold": str(threshold),
            "msDS-LockoutObservationWindow": "-18000000000",
            "msDS-LockoutDuration": "-18000000000",
            "msDS-PSOAppliesTo": user,
        }
    )


database.transaction_start()
change(base, "maxPwdAge", str(NEVER))
change(base, "pwdProperties", "0")
change(base, "lockoutThreshold", "0")
for unit in ("People", "Groups", "Bulk"):
    database.add({"dn": f"OU={unit},{base}", "objectClass": "organizationalUnit"})

gate = add_user("gate", where="CN=Users")
alice = add_user("alice", "Alice", mail="alice@example.org")
bob = add_user("bob", "Bob", principal="robert@other.example")
carol = add_user("carol")
smith = add_user("jsmith", r"Smith\, John (CEO)")
zoe = add_user("zoë", "Zoë Ångström 東京")
lead = add_user("lead", r"\20lead")
hashed = add_user("hash", r"\#hash\+x")

# One account for each state that a sign-in is refused for.
add_user("disabled", flags=DISABLED)
add_user("smartcard", flags=SMARTCARD)
change(add_user("mustchange"), "pwdLastSet", "0")
change(add_user("accountexpired"), "accountExpires", "116444736000000000")
change(add_user("hours"), "logonHours", b"\0" * 21)
change(add_user("workstation"), "userWorkstations", "NOSUCHPC")
add_policy("locking", 1, add_user("locked"), threshold=3)
expired = add_user("expired")
add_policy("shortlived", 2, expired, longest=2 * DAY)
# Only a control of Samba's own lets this be set to a date.
change(expired, "pwdLastSet", "131000000000000000", controls=["local_oid:1.3.6.1.4.1.7165.4.3.20:0"])

# developers in engineering in pushers: three levels.
developers = add_group("developers", [alice, bob, smith, zoe, lead, hashed])
engineering = add_group("engineering", [developers])
add_group("pushers", [engineering])
circle = add_group("circle-a", [bob])
other = add_group("circle-b", [circle])
change(circle, "member", other, ldb.FLAG_MOD_ADD)
add_group(r"R&D (core)\, EU", [alice], account="rnd eu")
add_group("local", [alice], kind=LOCAL_SECURITY)
add_group("universal", [alice], kind=UNIVERSAL_SECURITY)
add_group("newsletter", [alice], kind=GLOBAL_DISTRIBUTION)
# Somebody who may create groups in another unit has made one that is called like a group of importance.
add_group("pushers", [carol], account="lookalike", where="OU=Bulk")
staff = add_group("staff", [carol])
found = database.search(staff, ldb.SCOPE_BASE, attrs=["objectSid"])[0]["objectSid"][0]
change(carol, "primaryGroupID", database.schema_format_value("objectSid", found).decode().split("-")[-1])
database.transaction_commit()

database.transaction_start()
crowd = []
for number in range(2000):
    dn = f"CN=member{number:04},OU=Bulk,{base}"
    database.add({"dn": dn, "objectClass": "contact"})
    crowd.append(dn)
add_group("crowd", [*crowd, alice])
database.transaction_commit()
