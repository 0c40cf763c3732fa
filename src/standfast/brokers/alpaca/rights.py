"""What an Alpaca key may do, as far as anybody can know it.

Alpaca lists no rights of a key: every key of an account may do all that its trading interface offers. That has no
request to move dollars or shares out, but one to send coins, to addresses that were approved before (POST
/v2/wallets/transfers; trading-api.json). So the account's state and those addresses are what is known.
"""

from standfast.brokers.alpaca.rows import AccountRow, WhitelistedRow
from standfast.model.evidence import Rights

APPROVED = "APPROVED"


def judge(account: AccountRow, addresses: list[WhitelistedRow]) -> Rights:
    """Whether coins can leave the account by the key; its dollars and shares cannot."""
    if account.transfers_blocked:
        return Rights(may_withdraw=False, detail="transfers are blocked for the account")
    if account.crypto_status != "ACTIVE":
        return Rights(may_withdraw=False, detail="crypto is not enabled, and nothing else can be sent out by a key")
    approved = sum(address.status.upper() == APPROVED for address in addresses)
    if approved:
        return Rights(may_withdraw=True, detail=f"coins can be sent to {approved} approved address(es)")
    return Rights(may_withdraw=None, detail="no address is approved for coins; the key may ask for one")
