"""Directives: listening, TLS, and how the program runs and logs."""

from typing import Final

from aikv.engine.config.directive import IMMUTABLE, SENSITIVE, STORED, Directive, Section, choice, number, text, yes_no
from aikv.engine.config.kinds import INT_MAX, OCTAL, Text, TitleTemplate
from aikv.engine.config.specials import Bind

_TLS: Final = "TLS"

NETWORK: Final = [
    Section(
        "Network",
        [
            Directive(
                "bind",
                Bind(),
                b"* -::*",
                "Addresses to listen on. A leading - skips an address that this machine does not have; * and ::* are"
                " all addresses of IPv4 and IPv6.",
            ),
            text("bind-source-addr", "Address that outgoing connections start from.", STORED),
            number("port", 6379, 0, 65535, "TCP port to listen on; 0 listens on none."),
            yes_no(
                "protected-mode",
                True,
                "Refuse clients from other machines while no password is set.",
            ),
            number("tcp-backlog", 511, 0, INT_MAX, "Length of the queue of connections not yet accepted.", IMMUTABLE),
            text("unixsocket", "Path of a unix socket to listen on as well.", IMMUTABLE),
            number(
                "unixsocketperm",
                0,
                0,
                0o777,
                "Octal permissions of the unix socket; 0 leaves them to the umask.",
                IMMUTABLE,
                unit=OCTAL,
            ),
            number("timeout", 0, 0, INT_MAX, "Seconds after which an idle client is disconnected; 0 is never."),
            number("tcp-keepalive", 300, 0, INT_MAX, "Seconds between TCP keepalive probes; 0 sends none."),
            number(
                "socket-mark-id",
                0,
                0,
                2**32 - 1,
                "Mark put on the listening sockets for packet filters.",
                IMMUTABLE,
                needs="socket marks",
            ),
        ],
    ),
    Section(
        "TLS",
        [
            number("tls-port", 0, 0, 65535, "TCP port that speaks TLS; 0 listens on none.", needs=_TLS),
            text("tls-cert-file", "Certificate of the server, in PEM.", STORED),
            text("tls-key-file", "Private key of the server, in PEM.", STORED),
            text("tls-key-file-pass", "Password of the private key.", STORED | SENSITIVE),
            text("tls-client-cert-file", "Certificate for outgoing connections, in PEM.", STORED),
            text("tls-client-key-file", "Private key for outgoing connections, in PEM.", STORED),
            text("tls-client-key-file-pass", "Password of the key for outgoing connections.", STORED | SENSITIVE),
            text("tls-dh-params-file", "Diffie-Hellman parameters for old versions of OpenSSL.", STORED),
            text("tls-ca-cert-file", "Certificates of the authorities that are trusted, in one file.", STORED),
            text("tls-ca-cert-dir", "Folder with the certificates of the authorities that are trusted.", STORED),
            choice("tls-auth-clients", ["no", "yes", "optional"], "yes", "Whether clients need a certificate.", STORED),
            yes_no("tls-replication", False, "Use TLS on the link to the primary.", needs=_TLS),
            yes_no("tls-cluster", False, "Use TLS between the nodes of a cluster.", needs=_TLS),
            text("tls-protocols", "Versions of TLS that are allowed, as a list in quotes.", STORED),
            text("tls-ciphers", "Ciphers that are allowed up to TLS 1.2, in OpenSSL's syntax.", STORED),
            text("tls-ciphersuites", "Cipher suites that are allowed from TLS 1.3 on.", STORED),
            yes_no("tls-prefer-server-ciphers", False, "The server's order of ciphers wins over the client's.", STORED),
            yes_no("tls-session-caching", True, "Let clients resume a TLS session.", STORED),
            number("tls-session-cache-size", 20480, 0, INT_MAX, "Sessions kept for resuming; 0 is no limit.", STORED),
            number("tls-session-cache-timeout", 300, 0, INT_MAX, "Seconds for which a session can be resumed.", STORED),
        ],
    ),
    Section(
        "General",
        [
            yes_no("daemonize", False, "Run in the background.", IMMUTABLE),
            choice(
                "supervised",
                ["upstart", "systemd", "auto", "no"],
                "no",
                "Tell a supervisor when the server is ready: systemd, or auto to find out from the environment.",
                IMMUTABLE,
                needs="upstart",
                accepts=[b"systemd", b"auto"],
            ),
            text("pidfile", "File that holds the process id while the server runs.", IMMUTABLE),
            choice("loglevel", ["debug", "verbose", "notice", "warning"], "notice", "How much is logged."),
            Directive("logfile", Text(), b"", "File to log to, relative to dir; empty is standard output.", IMMUTABLE),
            yes_no("syslog-enabled", False, "Log to the system's log as well.", IMMUTABLE),
            Directive("syslog-ident", Text(), b"redis", "Name of the program in the system's log.", IMMUTABLE),
            choice(
                "syslog-facility",
                ["user", *[f"local{i}" for i in range(8)]],
                "local0",
                "Facility of the system's log.",
                IMMUTABLE,
            ),
            number("databases", 16, 1, INT_MAX, "Number of databases, for SELECT.", IMMUTABLE),
            yes_no(
                "always-show-logo",
                False,
                "Show the logo at start even where the log is no terminal.",
                IMMUTABLE | STORED,
            ),
            yes_no("set-proc-title", True, "Let the process title say what the server does.", IMMUTABLE | STORED),
            Directive(
                "proc-title-template",
                TitleTemplate(),
                b"{title} {listen-addr} {server-mode}",
                "What the process title says. Variables: {title} {listen-addr} {server-mode} {port} {tls-port}"
                " {unixsocket} {config-file}.",
                STORED,
            ),
            Directive(
                "locale-collate",
                Text(),
                b"",
                "Locale that compares strings in SORT ALPHA; empty takes the environment's.",
            ),
        ],
    ),
]
