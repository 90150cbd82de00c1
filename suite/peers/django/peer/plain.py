"""A hasher that does not hash, so that the benchmark measures a login without the price of one.

Owns the comparison. Never used unless PASSWORDS=plain is in the environment.
"""
from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare


class PlainHasher(BasePasswordHasher):
    algorithm = "plain"

    def salt(self):
        return ""

    def encode(self, password, salt):
        return f"plain$${password}"

    def decode(self, encoded):
        return {"algorithm": self.algorithm, "hash": encoded.removeprefix("plain$$"), "salt": ""}

    def verify(self, password, encoded):
        return constant_time_compare(self.encode(password, ""), encoded)

    def must_update(self, encoded):
        return False

    def safe_summary(self, encoded):
        return {"algorithm": self.algorithm}

    def harden_runtime(self, password, encoded):
        pass
