//! A socket to a receiver of syslog, and whether it is still open.

use std::fmt;
use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::{SyslogTarget, Transport};
use crate::sink::error::SinkError;

/// How long connecting, and each write, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the kernel tries to hand over what the other side does not acknowledge (TCP_USER_TIMEOUT).
pub(super) const UNHEARD: Duration = Duration::from_secs(20);

/// How long a new connection is watched for the receiver's closing it at once, as those do that refuse a client by its certificate or address.
const TRIAL: Duration = Duration::from_millis(200);

/// How long is listened for the news that nobody takes datagrams there; a host of the same network answers sooner.
const REFUSAL: Duration = Duration::from_millis(10);

/// Reads of what a receiver sends, which syslog does not foresee, before each write.
const READS: usize = 4;

/// An open socket.
pub(super) enum Link {
    Datagrams(UdpSocket),
    Stream(Box<dyn Stream>),
}

/// A byte stream in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

impl Link {
    /// Connects, by the name's addresses in turn.
    ///
    /// # Errors
    /// When nobody answers, or the certificate is not that of the name.
    pub(super) async fn open(target: &SyslogTarget, tls: Option<Arc<ClientConfig>>) -> Result<Self, SinkError> {
        let to = &target.address;
        let opened = async {
            match target.transport {
                Transport::Udp => datagrams(to).await.map(Self::Datagrams),
                Transport::Tcp => Ok(Self::Stream(Box::new(stream(to).await?))),
                Transport::Tls => {
                    let config = tls.ok_or_else(|| io::Error::other("no TLS"))?;
                    let host = to.rsplit_once(':').map_or(to.as_str(), |(host, _)| host).trim_matches(['[', ']']).to_owned();
                    let name = ServerName::try_from(host).map_err(io::Error::other)?;
                    Ok(Self::Stream(Box::new(TlsConnector::from(config).connect(name, stream(to).await?).await?)))
                }
            }
        };
        let mut link = in_time(to, opened).await?;
        if timeout(TRIAL, link.broken()).await.is_ok() {
            return Err(SinkError::Unreachable { to: to.clone(), why: "it closed the connection at once".to_owned() });
        }
        Ok(link)
    }

    /// Writes a message: as a datagram, or with its length before it (RFC 6587, section 3.4.1).
    ///
    /// # Errors
    /// When it was refused, or not taken in time.
    pub(super) async fn write(&mut self, message: &str, to: &str) -> Result<(), SinkError> {
        match self {
            Self::Datagrams(socket) => {
                in_time(to, async {
                    socket.send(message.as_bytes()).await?;
                    let _ = timeout(REFUSAL, socket.readable()).await; // silence is all the assent that there is
                    socket.take_error()?.map_or(Ok(()), Err)
                })
                .await
            }
            Self::Stream(stream) => {
                let framed = format!("{} {message}", message.len());
                in_time(to, async {
                    stream.write_all(framed.as_bytes()).await?;
                    stream.flush().await
                })
                .await
            }
        }
    }

    /// Whether nothing says that the other side has closed it.
    pub(super) async fn is_open(&mut self) -> bool {
        let Self::Stream(stream) = self else { return true };
        for _ in 0..READS {
            let mut ignored = [0; 512];
            let read = tokio::select! {
                biased;
                read = stream.read(&mut ignored) => read,
                () = ready(()) => return true,
            };
            if !matches!(read, Ok(1..)) {
                return false;
            }
        }
        true
    }

    /// Returns when the other side closes it; never for datagrams.
    pub(super) async fn broken(&mut self) {
        let Self::Stream(stream) = self else { return std::future::pending().await };
        let mut ignored = [0; 512];
        while let Ok(1..) = stream.read(&mut ignored).await {}
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Datagrams(_)) { "Datagrams" } else { "Stream" })
    }
}

async fn datagrams(to: &str) -> io::Result<UdpSocket> {
    let first = lookup_host(to).await?.next().ok_or_else(|| io::Error::other("the name has no address"))?;
    let any: SocketAddr = if first.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(first).await?;
    Ok(socket)
}

async fn stream(to: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let socket = stream.as_fd();
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, UNHEARD)?;
    sockopt::set_tcp_keepintvl(socket, UNHEARD / 4)?;
    sockopt::set_tcp_keepcnt(socket, 3)?;
    sockopt::set_tcp_user_timeout(socket, u32::try_from(UNHEARD.as_millis()).unwrap_or(u32::MAX))?;
    Ok(stream)
}

async fn in_time<T>(to: &str, act: impl Future<Output = io::Result<T>>) -> Result<T, SinkError> {
    match timeout(PATIENCE, act).await {
        Ok(outcome) => outcome.map_err(|error| SinkError::Unreachable { to: to.to_owned(), why: error.to_string() }),
        Err(_) => Err(SinkError::Slow { to: to.to_owned(), within: PATIENCE }),
    }
}
