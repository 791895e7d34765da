//! Error numbers that a guest sees: WASI preview 1's `errno`, shared by WasmEdge's socket functions.

use std::io;

/// One WASI error number; success is the `Ok` of a `Result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) u16);

impl Errno {
    pub(crate) const ACCES: Self = Self(2);
    pub(crate) const ADDRINUSE: Self = Self(3);
    pub(crate) const ADDRNOTAVAIL: Self = Self(4);
    pub(crate) const AFNOSUPPORT: Self = Self(5);
    pub(crate) const AGAIN: Self = Self(6);
    pub(crate) const ALREADY: Self = Self(7);
    pub(crate) const BADF: Self = Self(8);
    pub(crate) const CONNABORTED: Self = Self(13);
    pub(crate) const CONNREFUSED: Self = Self(14);
    pub(crate) const CONNRESET: Self = Self(15);
    pub(crate) const DESTADDRREQ: Self = Self(17);
    pub(crate) const FAULT: Self = Self(21);
    pub(crate) const HOSTUNREACH: Self = Self(23);
    pub(crate) const INPROGRESS: Self = Self(26);
    pub(crate) const INVAL: Self = Self(28);
    pub(crate) const IO: Self = Self(29);
    pub(crate) const ISCONN: Self = Self(30);
    pub(crate) const MFILE: Self = Self(33);
    pub(crate) const MSGSIZE: Self = Self(35);
    pub(crate) const NETUNREACH: Self = Self(40);
    pub(crate) const NOPROTOOPT: Self = Self(50);
    pub(crate) const NOTCONN: Self = Self(53);
    pub(crate) const NOTSUP: Self = Self(58);
    pub(crate) const PIPE: Self = Self(64);
    pub(crate) const TIMEDOUT: Self = Self(73);
    /// WasmEdge's own `ERRNO_AIBADFLAG` (api.hpp): an unknown flag, or one not valid here.
    pub(crate) const AI_BADFLAG: Self = Self(82);
    /// WasmEdge's own `ERRNO_AIFAMILY` (api.hpp): an unknown address family.
    pub(crate) const AI_FAMILY: Self = Self(84);
    /// WasmEdge's own `ERRNO_AIMEMORY` (api.hpp): no space for a single result.
    pub(crate) const AI_MEMORY: Self = Self(85);
    /// WasmEdge's own `ERRNO_AINONAME` (api.hpp): the name does not resolve.
    pub(crate) const AI_NONAME: Self = Self(87);
    /// WasmEdge's own `ERRNO_AISERVICE` (api.hpp): the service has no known port.
    pub(crate) const AI_SERVICE: Self = Self(88);
    /// WasmEdge's own `ERRNO_AISOCKTYPE` (api.hpp): no socket type has this protocol.
    pub(crate) const AI_SOCKTYPE: Self = Self(89);

    /// Converts a result to the number that the guest sees; zero for success.
    pub(crate) fn code(result: Result<(), Self>) -> i32 {
        result.map_or_else(|errno| i32::from(errno.0), |()| 0)
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::WouldBlock => Self::AGAIN,
            Kind::PermissionDenied => Self::ACCES,
            Kind::AddrInUse => Self::ADDRINUSE,
            Kind::AddrNotAvailable => Self::ADDRNOTAVAIL,
            Kind::ConnectionRefused => Self::CONNREFUSED,
            Kind::ConnectionReset => Self::CONNRESET,
            Kind::ConnectionAborted => Self::CONNABORTED,
            Kind::HostUnreachable => Self::HOSTUNREACH,
            Kind::NetworkUnreachable => Self::NETUNREACH,
            Kind::NotConnected => Self::NOTCONN,
            Kind::BrokenPipe => Self::PIPE,
            Kind::TimedOut => Self::TIMEDOUT,
            Kind::InvalidInput => Self::INVAL,
            Kind::Unsupported => Self::NOTSUP,
            _ => Self::IO,
        }
    }
}
