//! Connections into an instance: to what listens on its own loopback.
//!
//! A socket belongs to the network namespace in which it was made, whoever uses it. A thread of its own enters
//! that of the instance, makes one, and ends.

use std::net::{Ipv4Addr, SocketAddr, TcpStream as StdStream};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

use crate::Error;

const STEP: &str = "connecting into an instance";

/// Connects to `port` of the loopback that `process` sees.
pub(crate) async fn open(process: &OwnedFd, port: u16) -> Result<TcpStream, Error> {
    let process = process.try_clone().map_err(Error::system(STEP))?;
    let (told, made) = oneshot::channel();
    let work = move || {
        // Who asked may be gone.
        let _ = told.send(make(&process));
    };
    thread::Builder::new().spawn(work).map_err(Error::system(STEP))?;
    let socket = made.await.map_err(|_| Error::Ended)?.map_err(Error::system(STEP))?;
    let socket = TcpSocket::from_std_stream(StdStream::from(socket));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.connect(address).await.map_err(Error::system(STEP))
}

/// Enters the namespace for good: the thread must not be used for anything else.
fn make(process: &OwnedFd) -> Result<OwnedFd, Errno> {
    move_into_thread_name_spaces(process.as_fd(), ThreadNameSpaceType::NETWORK)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
}
