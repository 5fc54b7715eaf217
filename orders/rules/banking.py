"""Whether a bank account's number can be right."""

IBAN_MIN, IBAN_MAX = 15, 34
CHECK = 97


def is_iban(text: str) -> bool:
    """Tell if `text` is an IBAN by its shape and check digits (ISO 13616); no spaces, capitals."""
    if not IBAN_MIN <= len(text) <= IBAN_MAX or not text.isascii() or not text.isalnum():
        return False
    if not text[:2].isalpha() or not text[2:4].isdigit() or text != text.upper():
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % CHECK == 1


def bank_account_fault(text: str) -> str:
    """Return why this cannot be an account's number, or nothing; no account at all is none."""
    if text and (not text.isascii() or not text.isalnum()):
        return "Letters and digits only."
    if text[:2].isalpha() and not is_iban(text):
        return "This is no IBAN: check its digits."
    return ""
