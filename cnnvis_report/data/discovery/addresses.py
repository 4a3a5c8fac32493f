"""Addresses that are typed in the place of files, such as s3://bucket/photos.zip."""

import re

ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
# whose files fsspec reads without writing to the disk or running what is behind them
PROTOCOLS = {
    *("http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "hf", "ftp", "sftp", "ssh", "hdfs"),
    *("webhdfs", "oss", "oci", "cos", "memory", "file"),
}


def protocol_of(text: str) -> str:
    """The protocol of an address in lower case; empty where a text is none."""
    match = ADDRESS.fullmatch(text)
    return match[1].lower() if match else ""


def shown_address(text: str) -> str:
    """An address without passwords and keys; any other text as it is."""
    match = ADDRESS.fullmatch(text)
    if match is None:
        return text
    host, slash, path = re.split(r"[?#]", match[2])[0].partition("/")
    return f"{match[1]}://{host.rpartition('@')[2]}{slash}{path}"
