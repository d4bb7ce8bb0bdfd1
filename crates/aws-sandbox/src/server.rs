//! A sandbox over HTTP: its routes on a listener, which can refuse connections for a while.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use crate::sandbox::Sandbox;
use crate::{connection, http};

/// As many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A sandbox that is being served; dropping it ends its connections.
#[derive(Debug)]
pub struct Server {
    sandbox: Sandbox,
    address: SocketAddr,
    /// Bound without listening, so that the port is nobody else's while connections are refused.
    _port: TcpSocket,
    serving: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

impl Server {
    /// Serves on a free port of the loopback interface until the returned value is dropped.
    pub async fn start(sandbox: Sandbox) -> io::Result<Self> {
        let port = bound((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = port.local_addr()?;
        let server = Self { sandbox, address, _port: port, serving: Mutex::default() };
        server.resume().await?;
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS`, for `AWS_ENDPOINT_URL` or an SDK's `endpoint_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends every connection and refuses new ones until [`Server::resume`]. Before a connection there is no operation:
    /// to refuse one service alone, start two servers of the sandbox, and give that service an endpoint of its own.
    pub async fn refuse(&self) {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = serving {
            task.abort();
            // An aborted task answers with that; when it is awaited, its sockets are closed.
            let _ = task.await;
        }
    }

    /// Accepts connections again, at the same address.
    pub async fn resume(&self) -> io::Result<()> {
        self.refuse().await;
        let listener = bound(self.address)?.listen(BACKLOG)?;
        let task = tokio::spawn(serve(self.sandbox.clone(), listener));
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = self.serving.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// Serves until the listener fails; dropping the future ends every connection.
pub fn serve(sandbox: Sandbox, listener: TcpListener) -> impl Future<Output = io::Result<()>> + Send {
    connection::accept(http::router(sandbox), listener)
}

/// A socket that shares its address with the others of this server.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
