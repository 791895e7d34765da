//! IP addresses in the guest's memory.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Generation;
use crate::errno::Errno;
use crate::memory::{Memory, at};
use crate::socket::Family;

/// Size of an address buffer of the second generation, in bytes.
const V2_LEN: u32 = 128;

/// Reads the `__wasi_address_t {buf, len}` at `ptr` together with `port`.
pub(super) fn read(memory: &Memory<'_>, ptr: u32, port: u32) -> Result<SocketAddr, Errno> {
    let port = u16::try_from(port).map_err(|_| Errno::INVAL)?;
    let (buffer, len) = memory.iovec(ptr, 0)?;
    let ip = match len {
        4 => v4(memory.bytes(buffer, 4)?)?,
        16 => v6(memory.bytes(buffer, 16)?)?,
        V2_LEN => match memory.u16(buffer)? {
            1 => v4(memory.bytes(at(buffer, 1, 2)?, 4)?)?,
            2 => v6(memory.bytes(at(buffer, 1, 2)?, 16)?)?,
            _ => return Err(Errno::AFNOSUPPORT),
        },
        _ => return Err(Errno::INVAL),
    };
    Ok(SocketAddr::new(ip, port))
}

/// Writes the IP of `address` into the `__wasi_address_t` at `ptr`.
pub(super) fn write(
    memory: &mut Memory<'_>,
    generation: Generation,
    ptr: u32,
    address: SocketAddr,
) -> Result<(), Errno> {
    let (mut buffer, len) = memory.iovec(ptr, 0)?;
    let octets = octets(address.ip());
    let mut room = len;
    if generation == Generation::V2 {
        if len < V2_LEN {
            return Err(Errno::INVAL);
        }
        memory.write(buffer, &family_number(address).to_le_bytes())?;
        buffer = at(buffer, 1, 2)?;
        room -= 2;
    }
    if (room as usize) < octets.len() {
        return Err(Errno::INVAL);
    }
    memory.write(buffer, &octets)
}

/// WasmEdge's number for the family of `address` (`__wasi_address_family_t`).
pub(super) fn family_number(address: SocketAddr) -> u16 {
    match Family::from_address(address) {
        Family::V4 => 1,
        Family::V6 => 2,
    }
}

/// The octets of `ip`, in network order.
pub(super) fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn v4(octets: &[u8]) -> Result<IpAddr, Errno> {
    <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).into()).map_err(|_| Errno::FAULT)
}

fn v6(octets: &[u8]) -> Result<IpAddr, Errno> {
    <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).into()).map_err(|_| Errno::FAULT)
}
