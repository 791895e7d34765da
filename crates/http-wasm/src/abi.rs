//! Functions of the module `http_handler`, as in <https://http-wasm.io/http-handler-abi/>.

use http::header::{HOST, HeaderName};
use wasmtime::{Caller, Linker, Result, bail};

use crate::exchange::Message;
use crate::guest::{HostState, enable_features};
use crate::memory::{read, write, write_if_fits, write_list};

type Guest<'a> = Caller<'a, HostState>;

const MODULE: &str = "http_handler";
/// Flag of the last piece of a body.
const END_OF_BODY: u64 = 1 << 32;
/// Levels of `log`; the next one disables logging.
const DEBUG: i32 = -1;
const INFO: i32 = 0;
const WARN: i32 = 1;
const ERROR: i32 = 2;

pub(crate) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    link_host(linker)?;
    link_request(linker)?;
    link_headers(linker)?;
    link_bodies(linker)?;
    linker.func_wrap(MODULE, "get_status_code", |mut guest: Guest<'_>| {
        Ok::<_, wasmtime::Error>(u32::from(guest.data_mut().exchange()?.status()?))
    })?;
    linker.func_wrap(MODULE, "set_status_code", |mut guest: Guest<'_>, status: u32| {
        guest.data_mut().exchange()?.set_status(status)
    })?;
    Ok(())
}

fn link_host(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap(MODULE, "enable_features", |mut guest: Guest<'_>, features: u32| {
        enable_features(guest.data_mut(), features)
    })?;
    linker.func_wrap(MODULE, "get_config", |mut guest: Guest<'_>, buffer: u32, limit: u32| {
        let config = guest.data().config.clone();
        write_if_fits(&mut guest, buffer, limit, &config)
    })?;
    linker.func_wrap(MODULE, "log_enabled", |level: i32| u32::from(is_logged(level)))?;
    linker.func_wrap(MODULE, "log", |mut guest: Guest<'_>, level: i32, message: u32, length: u32| {
        if is_logged(level) {
            let message = read(&mut guest, message, length)?;
            log(&guest.data().component, level, &String::from_utf8_lossy(&message).replace(char::is_control, " "));
        }
        Ok::<_, wasmtime::Error>(())
    })?;
    Ok(())
}

fn link_request(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap(MODULE, "get_method", |mut guest: Guest<'_>, buffer: u32, limit: u32| {
        let method = guest.data_mut().exchange()?.method().to_owned();
        write_if_fits(&mut guest, buffer, limit, method.as_bytes())
    })?;
    linker.func_wrap(MODULE, "set_method", |mut guest: Guest<'_>, method: u32, length: u32| {
        let method = read(&mut guest, method, length)?;
        guest.data_mut().exchange()?.set_method(&method)
    })?;
    linker.func_wrap(MODULE, "get_uri", |mut guest: Guest<'_>, buffer: u32, limit: u32| {
        let uri = guest.data_mut().exchange()?.uri().to_owned();
        write_if_fits(&mut guest, buffer, limit, uri.as_bytes())
    })?;
    linker.func_wrap(MODULE, "set_uri", |mut guest: Guest<'_>, uri: u32, length: u32| {
        let uri = read(&mut guest, uri, length)?;
        guest.data_mut().exchange()?.set_uri(&uri)
    })?;
    linker.func_wrap(MODULE, "get_protocol_version", |mut guest: Guest<'_>, buffer: u32, limit: u32| {
        let version = guest.data_mut().exchange()?.protocol_version();
        write_if_fits(&mut guest, buffer, limit, version.as_bytes())
    })?;
    linker.func_wrap(MODULE, "get_source_addr", |mut guest: Guest<'_>, buffer: u32, limit: u32| {
        let address = guest.data_mut().exchange()?.source_address();
        write_if_fits(&mut guest, buffer, limit, address.as_bytes())
    })?;
    Ok(())
}

fn link_headers(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap(MODULE, "get_header_names", |mut guest: Guest<'_>, kind: u32, buffer: u32, limit: u32| {
        let Some(message) = message(kind)? else { return Ok(0) };
        let headers = guest.data_mut().exchange()?.headers(message);
        let mut names: Vec<Vec<u8>> = headers.keys().map(|name| name.as_str().as_bytes().to_vec()).collect();
        names.sort();
        write_list(&mut guest, buffer, limit, &names)
    })?;
    linker.func_wrap(
        MODULE,
        "get_header_values",
        |mut guest: Guest<'_>, kind: u32, name: u32, length: u32, buffer: u32, limit: u32| {
            let name = HeaderName::from_bytes(&read(&mut guest, name, length)?)?;
            let Some(message) = message(kind)? else { return Ok(0) };
            let headers = guest.data_mut().exchange()?.headers(message);
            let values: Vec<Vec<u8>> = headers.get_all(&name).iter().map(|value| value.as_bytes().to_vec()).collect();
            write_list(&mut guest, buffer, limit, &values)
        },
    )?;
    for (function, is_added) in [("set_header_value", false), ("add_header_value", true)] {
        linker.func_wrap(
            MODULE,
            function,
            move |mut guest: Guest<'_>, kind: u32, name: u32, length: u32, value: u32, value_length: u32| {
                let name = read(&mut guest, name, length)?;
                let value = read(&mut guest, value, value_length)?;
                change_header(&mut guest, kind, &name, Some(&value), is_added)
            },
        )?;
    }
    linker.func_wrap(MODULE, "remove_header", |mut guest: Guest<'_>, kind: u32, name: u32, length: u32| {
        let name = read(&mut guest, name, length)?;
        change_header(&mut guest, kind, &name, None, false)
    })?;
    Ok(())
}

fn link_bodies(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap_async(MODULE, "read_body", |mut guest: Guest<'_>, (kind, buffer, limit): (u32, u32, u32)| {
        Box::new(async move {
            if limit == 0 {
                bail!("a body cannot be read into an empty buffer");
            }
            let message = body(kind)?;
            let (piece, is_last) = guest.data_mut().exchange()?.read_body(message, limit as usize).await?;
            write(&mut guest, buffer, &piece)?;
            Ok(piece.len() as u64 | if is_last { END_OF_BODY } else { 0 })
        })
    })?;
    linker.func_wrap(MODULE, "write_body", |mut guest: Guest<'_>, kind: u32, buffer: u32, length: u32| {
        let message = body(kind)?;
        let piece = read(&mut guest, buffer, length)?;
        guest.data_mut().exchange()?.write_body(message, &piece)
    })?;
    Ok(())
}

/// Returns the message whose headers a function uses; `None` for trailers, which never exist here.
fn message(kind: u32) -> Result<Option<Message>> {
    Ok(match kind {
        0 => Some(Message::Request),
        1 => Some(Message::Response),
        2 | 3 => None,
        _ => bail!("unsupported header kind: {kind}"),
    })
}

fn body(kind: u32) -> Result<Message> {
    Ok(match kind {
        0 => Message::Request,
        1 => Message::Response,
        _ => bail!("unsupported body kind: {kind}"),
    })
}

fn change_header(guest: &mut Guest<'_>, kind: u32, name: &[u8], value: Option<&[u8]>, is_added: bool) -> Result<()> {
    let Some(message) = message(kind)? else { bail!("trailers are not supported") };
    // The Host header tells where the request was sent, which a guest may not change.
    if message == Message::Request && name.eq_ignore_ascii_case(HOST.as_str().as_bytes()) {
        return Ok(());
    }
    guest.data_mut().exchange()?.change_header(message, name, value, is_added)
}

fn is_logged(level: i32) -> bool {
    match level {
        DEBUG => tracing::enabled!(tracing::Level::DEBUG),
        INFO => tracing::enabled!(tracing::Level::INFO),
        WARN => tracing::enabled!(tracing::Level::WARN),
        ERROR => tracing::enabled!(tracing::Level::ERROR),
        _ => false,
    }
}

fn log(component: &str, level: i32, message: &str) {
    match level {
        DEBUG => tracing::debug!(component, "{message}"),
        INFO => tracing::info!(component, "{message}"),
        WARN => tracing::warn!(component, "{message}"),
        _ => tracing::error!(component, "{message}"),
    }
}
