//! `sock_getaddrinfo`: names to addresses, into a list that the guest has laid out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use wasmtime::Caller;

use super::{address, split};
use crate::errno::Errno;
use crate::memory::{Memory, at};
use crate::socket::Family;
use crate::state::GuestState;

/// The longest name that DNS knows.
const MAX_NAME: u32 = 254;

/// What of `__wasi_addrinfo_t` the guest asks for.
struct Hints {
    passive: bool,
    family: Option<Family>,
    kind: u8,
    protocol: u8,
}

pub(super) async fn lookup(
    caller: &mut Caller<'_, GuestState>,
    (node, node_len): (u32, u32),
    (service, service_len): (u32, u32),
    hints: u32,
    (results, max, found): (u32, u32, u32),
) -> Result<(), Errno> {
    let (memory, state) = split(caller)?;
    let node = text(&memory, node, node_len)?;
    let service = text(&memory, service, service_len)?;
    let hints = read_hints(&memory, hints)?;
    let port = if service.is_empty() { 0 } else { service.parse().map_err(|_| Errno::AI_SERVICE)? };
    let known = if node.is_empty() { Some(own_addresses(hints.passive)) } else { literal(&node) };
    let ips = match known {
        Some(ips) => ips,
        None => {
            let resolving = state.network.resolve(node);
            let resolved = resolving.await;
            caller.data().activity.goes_on();
            resolved.map_err(|error| match error.kind() {
                std::io::ErrorKind::PermissionDenied => Errno::ACCES,
                _ => Errno::AI_NONAME,
            })?
        }
    };
    let addresses: Vec<_> = ips
        .into_iter()
        .map(|ip| SocketAddr::new(ip, port))
        .filter(|address| hints.family.is_none_or(|family| family == Family::of(*address)))
        .collect();
    if addresses.is_empty() {
        return Err(Errno::AI_NONAME);
    }
    let (mut memory, _) = split(caller)?;
    let mut entry = memory.u32(results)?;
    let mut written = 0;
    for address in addresses.iter().take(max as usize) {
        if entry == 0 {
            break;
        }
        entry = write_entry(&mut memory, entry, *address, &hints)?;
        written += 1;
    }
    memory.write_u32(found, written)
}

fn text(memory: &Memory<'_>, ptr: u32, len: u32) -> Result<String, Errno> {
    if len > MAX_NAME {
        return Err(Errno::INVAL);
    }
    let bytes = memory.bytes(ptr, len)?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| Errno::INVAL)
}

fn read_hints(memory: &Memory<'_>, ptr: u32) -> Result<Hints, Errno> {
    if ptr == 0 {
        return Ok(Hints { passive: false, family: None, kind: 2, protocol: 1 });
    }
    Ok(Hints {
        passive: memory.u16(ptr)? & 1 != 0,
        family: match memory.u8(at(ptr, 2, 1)?)? {
            1 => Some(Family::V4),
            2 => Some(Family::V6),
            _ => None,
        },
        kind: memory.u8(at(ptr, 3, 1)?)?,
        protocol: memory.u8(at(ptr, 4, 1)?)?,
    })
}

fn own_addresses(passive: bool) -> Vec<IpAddr> {
    if passive {
        vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
    } else {
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    }
}

fn literal(node: &str) -> Option<Vec<IpAddr>> {
    if node.eq_ignore_ascii_case("localhost") {
        return Some(own_addresses(false));
    }
    node.parse().ok().map(|ip| vec![ip])
}

/// Fills one `__wasi_addrinfo_t` and the `__wasi_sockaddr_t` it points to; gives the address of the next.
fn write_entry(memory: &mut Memory<'_>, entry: u32, address: SocketAddr, hints: &Hints) -> Result<u32, Errno> {
    let family = address::family_number(address).to_le_bytes();
    let [family, _] = family;
    memory.write(at(entry, 2, 1)?, &[family, hints.kind, hints.protocol])?;
    let socket_address = memory.u32(at(entry, 3, 4)?)?;
    if socket_address != 0 {
        let room = memory.u32(at(socket_address, 1, 4)?)?;
        let data_ptr = memory.u32(at(socket_address, 2, 4)?)?;
        let mut data = address.port().to_be_bytes().to_vec();
        data.extend(address::octets(address.ip()));
        // Guests announce 14 bytes, as for IPv4, and keep 26: an IPv6 address needs 18 of them.
        if room < 14 {
            return Err(Errno::INVAL);
        }
        memory.write(data_ptr, &data)?;
        memory.write(socket_address, &[family])?;
        let len = u32::try_from(data.len()).map_err(|_| Errno::INVAL)?;
        memory.write_u32(at(socket_address, 1, 4)?, len)?;
        memory.write_u32(at(entry, 2, 4)?, 16)?;
    }
    memory.u32(at(entry, 6, 4)?)
}
