use std::net::{Ipv4Addr, TcpListener};

use crate::{Error, Result};

/// A port on 127.0.0.1 that nothing listens on now. Another process may take it before the caller does.
pub(crate) fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("cannot find a free port"))?;
    let address = listener.local_addr().map_err(Error::io("cannot read the free port"))?;
    Ok(address.port())
}
