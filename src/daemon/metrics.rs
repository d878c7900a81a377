//! Figures of the daemon for Prometheus: what is counted, and the page that shows it, on loopback only.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use crate::store::SinkState;

/// Connections that are served at once; others wait.
const MOST_CONNECTIONS: usize = 8;
/// How long a connection may last: each serves one request.
const LONGEST: Duration = Duration::from_secs(10);
/// The type of the page (OpenMetrics 1.0).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;
type Seconds = Gauge<f64, AtomicU64>;

/// What one capture thread has counted since the daemon began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Frames that were looked at.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Frames for which the kernel's ring had no room.
    pub dropped: u64,
    /// Frames that the interface dropped.
    pub dropped_by_interface: u64,
    /// Frames that were passed over under overload, because they could carry no injection.
    pub shed: u64,
}

/// All figures. Whoever knows one sets it; the page reads them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    packets: Counters,
    bytes: Counters,
    dropped: Counters,
    dropped_by_interface: Counters,
    shed: Counters,
    queue_shed: Counters,
    alerts: Counters,
    flows: Gauge,
    blind: Gauge,
    last_packet: Seconds,
    memory: Gauge,
    waiting: Gauges,
    dead: Gauges,
    lag: Family<Labels, Seconds>,
    last_success: Family<Labels, Seconds>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at nought.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::default(),
            packets: Family::default(),
            bytes: Family::default(),
            dropped: Family::default(),
            dropped_by_interface: Family::default(),
            shed: Family::default(),
            queue_shed: Family::default(),
            alerts: Family::default(),
            flows: Gauge::default(),
            blind: Gauge::default(),
            last_packet: Gauge::default(),
            memory: Gauge::default(),
            waiting: Family::default(),
            dead: Family::default(),
            lag: Family::default(),
            last_success: Family::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let page = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        page.register("sidewatch_build", "The build that runs", build);
        let begun: Gauge<f64, AtomicU64> = Gauge::default();
        begun.set(now().as_secs_f64());
        page.register("process_start_time_seconds", "When the daemon began, Unix time", begun);
        page.register("process_resident_memory_bytes", "Memory that the daemon holds", self.memory.clone());
        page.register("sidewatch_packets", "Frames that were looked at", self.packets.clone());
        page.register("sidewatch_bytes", "Bytes of those frames on the wire", self.bytes.clone());
        page.register("sidewatch_kernel_drops", "Frames for which the ring of the kernel had no room", self.dropped.clone());
        page.register("sidewatch_interface_drops", "Frames that the interface dropped", self.dropped_by_interface.clone());
        page.register("sidewatch_shed_packets", "Frames passed over under overload that could carry no injection", self.shed.clone());
        page.register("sidewatch_queue_shed", "What found an internal queue full", self.queue_shed.clone());
        page.register("sidewatch_alerts", "Alerts that were raised", self.alerts.clone());
        page.register("sidewatch_flows", "Connections that are remembered", self.flows.clone());
        page.register("sidewatch_blind", "1 while the sensor sees nothing, or too little", self.blind.clone());
        page.register("sidewatch_last_packet_timestamp_seconds", "Time of the last frame, Unix time", self.last_packet.clone());
        page.register("sidewatch_sink_waiting", "Alerts that a sink still has to deliver", self.waiting.clone());
        page.register("sidewatch_sink_dead", "Alerts that a sink has given up, and that can be tried again", self.dead.clone());
        page.register("sidewatch_sink_lag_seconds", "Age of the oldest alert that a sink still has to deliver", self.lag.clone());
        page.register("sidewatch_sink_last_success_timestamp_seconds", "When a sink last delivered, Unix time", self.last_success.clone());
        self
    }

    /// What one capture thread has counted so far.
    pub fn captured(&self, interface: &str, thread: u16, so_far: &Captured) {
        let labels = vec![("interface", interface.to_owned()), ("thread", thread.to_string())];
        for (family, value) in [
            (&self.packets, so_far.packets),
            (&self.bytes, so_far.bytes),
            (&self.dropped, so_far.dropped),
            (&self.dropped_by_interface, so_far.dropped_by_interface),
            (&self.shed, so_far.shed),
        ] {
            set(family, &labels, value);
        }
    }

    /// What has found a queue of the daemon full so far, by the queue's name.
    pub fn queue_shed(&self, queue: &str, so_far: u64) {
        set(&self.queue_shed, &vec![("queue", queue.to_owned())], so_far);
    }

    /// An alert was raised.
    pub fn alert(&self, severity: u8, mechanism: &str) {
        let labels = vec![("severity", severity.to_string()), ("mechanism", mechanism.to_owned())];
        self.alerts.get_or_create(&labels).inc();
    }

    /// Connections that are remembered.
    pub fn flows(&self, open: u64) {
        self.flows.set(signed(open));
    }

    /// Whether the sensor sees too little.
    pub fn blind(&self, is_blind: bool) {
        self.blind.set(i64::from(is_blind));
    }

    /// When the last frame was seen, Unix microseconds.
    pub fn last_packet(&self, micros: i64) {
        self.last_packet.set(micros as f64 / 1e6);
    }

    /// How the sinks fare at `now` (Unix milliseconds). Sinks that are no longer there are forgotten.
    pub fn sinks(&self, states: &[SinkState], now: i64) {
        self.waiting.clear();
        self.dead.clear();
        self.lag.clear();
        self.last_success.clear();
        for state in states {
            let labels = vec![("sink", state.sink.clone())];
            self.waiting.get_or_create(&labels).set(signed(state.waiting));
            self.dead.get_or_create(&labels).set(signed(state.dead));
            let lag = state.oldest_waiting.map_or(0, |oldest| now.saturating_sub(oldest).max(0));
            self.lag.get_or_create(&labels).set(lag as f64 / 1e3);
            if let Some(success) = state.last_success {
                self.last_success.get_or_create(&labels).set(success as f64 / 1e3);
            }
        }
    }

    /// The page.
    #[must_use]
    pub fn page(&self) -> String {
        self.memory.set(signed(resident_bytes().unwrap_or_default()));
        let mut page = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut page, &self.registry);
        page
    }
}

fn set(family: &Counters, labels: &Labels, value: u64) {
    family.get_or_create(labels).inner().store(value, Ordering::Relaxed);
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Memory of this process that is in use, in bytes (`VmRSS`). None where the kernel does not tell.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// Serves the page until the listener's task is ended. Only `GET /metrics` is answered.
///
/// # Errors
/// When the address cannot be listened on: it is taken by another program.
pub async fn listen(address: SocketAddr, metrics: Arc<Metrics>) -> io::Result<impl Future<Output = io::Result<()>>> {
    let listener = Narrow { listener: TcpListener::bind(address).await?, room: Arc::new(Semaphore::new(MOST_CONNECTIONS)), lasts: LONGEST };
    let router = Router::new().fallback(answer).with_state(metrics);
    Ok(async move { axum::serve(listener, router).await })
}

async fn answer(State(metrics): State<Arc<Metrics>>, request: Request) -> Response {
    let close: (HeaderName, &str) = (header::CONNECTION, "close");
    if request.method() == Method::GET && request.uri().path() == "/metrics" {
        return ([close, (header::CONTENT_TYPE, OPEN_METRICS)], metrics.page()).into_response();
    }
    (StatusCode::NOT_FOUND, [close], "metrics are at /metrics\n").into_response()
}

/// A listener that takes a few connections at once, each for a short time.
struct Narrow {
    listener: TcpListener,
    room: Arc<Semaphore>,
    /// How long each may last.
    lasts: Duration,
}

impl Listener for Narrow {
    type Io = Brief;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Brief, SocketAddr) {
        loop {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&self.room).acquire_owned().await else { continue };
            match self.listener.accept().await {
                Ok((stream, peer)) => return (Brief { stream, end: Box::pin(tokio::time::sleep(self.lasts)), _place: place }, peer),
                // Out of descriptors, or the peer is gone already.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends after a while, whatever the other side does.
struct Brief {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Brief {
    fn is_over(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Brief {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.is_over(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Brief {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.is_over(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
