//! What a collector reads, and what others are told.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

#[test]
fn the_page_shows_what_was_counted_in_base_units() {
    let metrics = Metrics::new();
    metrics.captured("eth0", 1, &Captured { packets: 7, bytes: 900, dropped: 2, dropped_by_interface: 1, shed: 3 });
    metrics.captured("eth0", 1, &Captured { packets: 8, bytes: 960, dropped: 2, dropped_by_interface: 1, shed: 3 });
    metrics.queue_shed("observations", 4);
    metrics.alert(1, "http_redirect");
    metrics.alert(1, "http_redirect");
    metrics.flows(12);
    metrics.blind(true);
    metrics.last_packet(1_500_000);
    let state = SinkState { sink: "soc".to_owned(), waiting: 3, dead: 1, oldest_waiting: Some(10_000), ..SinkState::default() };
    metrics.sinks(&[SinkState { sink: "gone".to_owned(), ..SinkState::default() }], 0);
    metrics.sinks(&[state], 12_500);
    let page = metrics.page();
    for line in [
        "sidewatch_packets_total{interface=\"eth0\",thread=\"1\"} 8",
        "sidewatch_bytes_total{interface=\"eth0\",thread=\"1\"} 960",
        "sidewatch_kernel_drops_total{interface=\"eth0\",thread=\"1\"} 2",
        "sidewatch_interface_drops_total{interface=\"eth0\",thread=\"1\"} 1",
        "sidewatch_shed_packets_total{interface=\"eth0\",thread=\"1\"} 3",
        "sidewatch_queue_shed_total{queue=\"observations\"} 4",
        "sidewatch_alerts_total{severity=\"1\",mechanism=\"http_redirect\"} 2",
        "sidewatch_flows 12",
        "sidewatch_blind 1",
        "sidewatch_last_packet_timestamp_seconds 1.5",
        "sidewatch_sink_waiting{sink=\"soc\"} 3",
        "sidewatch_sink_dead{sink=\"soc\"} 1",
        "sidewatch_sink_lag_seconds{sink=\"soc\"} 2.5",
        concat!("sidewatch_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "# EOF",
    ] {
        assert!(page.lines().any(|there| there == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("gone") && !page.contains("last_success_timestamp_seconds{"), "{page}");
    let memory = page.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
    assert!(memory.parse::<u64>().unwrap() > 1 << 20, "{memory}");
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn only_the_page_is_served_and_each_connection_once() {
    // A port of its own choice cannot be asked back through `listen`, so one is found first.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = tokio::spawn(listen(address, Arc::new(Metrics::new())).await.unwrap());
    let page = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("openmetrics-text") && page.ends_with("# EOF\n"), "{page}");
    assert!(page.contains("connection: close"), "{page}");
    for request in ["POST /metrics", "GET /", "GET /metrics/x", "DELETE /metrics"] {
        let answer = ask(address, &format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{request}: {answer}");
    }
    assert!(listen(address, Arc::new(Metrics::new())).await.is_err(), "the address is taken");
    server.abort();
}

#[tokio::test]
async fn who_connects_and_says_nothing_shuts_nobody_out() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let narrow = Narrow { listener, room: Arc::new(Semaphore::new(1)), lasts: Duration::from_millis(200) };
    let router = Router::new().fallback(answer).with_state(Arc::new(Metrics::new()));
    let server = tokio::spawn(async move { axum::serve(narrow, router).await });
    let silent = TcpStream::connect(address).await.unwrap();
    // Once the silent one's time is over, the next is served.
    let page = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    drop(silent);
    server.abort();
}
