"""The certificate authorities that the system trusts, for programs that bring a list of their own: behind a proxy that
inspects TLS, only the system's list knows the proxy's."""

import base64
import hashlib
import os
import pathlib
import re
import ssl
import struct

PASSWORD = "changeit"  # Java's own default


def system_bundle():
    """The file with the system's authorities in PEM; None when none is found."""
    candidates = [
        os.environ.get("SSL_CERT_FILE"),
        "/etc/ssl/certs/ca-certificates.crt",  # Debian and its kin
        "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its kin
        "/etc/ssl/ca-bundle.pem",  # openSUSE
        ssl.get_default_verify_paths().cafile,
    ]
    return next((pathlib.Path(file) for file in candidates if file and os.path.isfile(file)), None)


def java_key_store(bundle):
    """The authorities of a PEM file as a Java key store in the JKS format."""
    pem = re.findall(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", bundle.read_text(), re.DOTALL)
    store = struct.pack(">III", 0xFEEDFEED, 2, len(pem))
    for number, certificate in enumerate(pem):
        der = base64.b64decode(certificate)
        # A trusted certificate, its alias and date, its type, itself.
        store += struct.pack(">I", 2) + utf(f"authority-{number}") + struct.pack(">Q", 0)
        store += utf("X.509") + struct.pack(">I", len(der)) + der
    # The format's own check of integrity, salted with a fixed phrase.
    return store + hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + store).digest()


def utf(text):
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded
