"""Where webhooks may point: a receiver's name must not lead into the service's own network unasked."""

import socket
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_LONGEST = 2000
_GREATEST_PORT = 65535


class Addresses(StrEnum):
    """What a webhook's name may resolve to; each allows what those before it do."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"


class ReceiverAddressError(ValueError):
    """A webhook may not be sent to this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A receiver's address, taken apart."""

    is_encrypted: bool
    host: str
    port: int
    path: str  # with its query


def receiver_of(url: str) -> Receiver:
    """Take a webhook's address apart.

    Raises
    ------
    ReceiverAddressError
        It is not ``http(s)://host[:port]/path``, or holds a name and a password, or a fragment.

    Examples
    --------
    >>> receiver_of("https://edc.example.org/hooks?trial=1")
    Receiver(is_encrypted=True, host='edc.example.org', port=443, path='/hooks?trial=1')
    """
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        message = f"The address of a webhook is up to {_LONGEST} visible ASCII characters, without blanks."
        raise ReceiverAddressError(message)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        message = f"The address of the webhook cannot be read: {error}."
        raise ReceiverAddressError(message) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"The webhook has the address {url!r}; https://host/path was wanted."
        raise ReceiverAddressError(message)
    if parts.username is not None or parts.password is not None or parts.fragment:
        message = "The address of a webhook holds no name, password or fragment; its deliveries are signed."
        raise ReceiverAddressError(message)
    is_encrypted = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(
        is_encrypted=is_encrypted,
        host=parts.hostname,
        port=port if port is not None else (443 if is_encrypted else 80),
        path=path,
    )


def resolved(receiver: Receiver, allowed: Addresses) -> str:
    """Return the IP address that a receiver's name stands for now.

    The caller connects to this very address, so that a name that changes its meaning gains nothing.

    Raises
    ------
    ReceiverAddressError
        One of the name's addresses may not be sent to, or a public one is not encrypted.
    OSError
        The name cannot be resolved.
    """
    found = socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
    ips = list(dict.fromkeys(str(each[4][0]) for each in found))
    for ip in ips:
        _check(receiver, ip_address(ip.partition("%")[0]), allowed)
    return ips[0]


def _check(receiver: Receiver, ip: IPv4Address | IPv6Address, allowed: Addresses) -> None:
    kind = kind_of(ip)
    if kind is None or _RANK[kind] > _RANK[allowed]:
        message = (
            f"{receiver.host} stands for {ip}, which is {kind or 'no address of a host'}; the setting "
            f"webhook_addresses allows {' and '.join(list(_RANK)[: _RANK[allowed] + 1])}."
        )
        raise ReceiverAddressError(message)
    if kind is Addresses.PUBLIC and not receiver.is_encrypted:
        message = f"{receiver.host} stands for {ip}, which is public; https:// was wanted, found http://."
        raise ReceiverAddressError(message)


def kind_of(ip: IPv4Address | IPv6Address) -> Addresses | None:
    """Say where an IP address is, None for what no host has (multicast, unspecified, reserved, link-local).

    Examples
    --------
    >>> [kind_of(ip_address(ip)) for ip in ("127.0.0.1", "::ffff:10.0.0.7", "169.254.169.254")]
    [<Addresses.LOOPBACK: 'loopback'>, <Addresses.PRIVATE: 'private'>, None]
    """
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback:
        return Addresses.LOOPBACK
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or ip.is_reserved:
        return None
    return Addresses.PUBLIC if ip.is_global else Addresses.PRIVATE


_RANK = {each: rank for rank, each in enumerate(Addresses)}
