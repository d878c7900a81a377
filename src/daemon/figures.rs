//! What the threads show, as the figures that metrics are made of.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::keeper::KeeperBoard;
use super::metrics::{Captured, Metrics, listen};
use super::sensor::Sensor;
use crate::engine::time::Timestamp;
use crate::pump::live::JudgeSnapshot;
use crate::store::Store;

/// Serves the figures. An address that is taken is no reason not to watch.
pub(super) fn serve(runtime: &Runtime, address: Option<SocketAddr>, metrics: &Arc<Metrics>) {
    let Some(address) = address else { return };
    match runtime.block_on(listen(address, Arc::clone(metrics))) {
        Ok(serving) => {
            runtime.spawn(serving);
            tracing::info!("metrics are at http://{address}/metrics");
        }
        Err(error) => tracing::error!("metrics cannot be served at {address}: {error}; set `metrics` to another port, or \"off\""),
    }
}

/// Takes over what was counted, once a second.
pub(super) fn take(metrics: &Metrics, sensor: &Sensor, judged: &JudgeSnapshot, board: &KeeperBoard) {
    let (mut flows, mut facts, mut lost, mut last) = (0, 0, 0, 0);
    for (thread, (interface, board)) in (0_u16..).zip(sensor.boards()) {
        let shown = board.snapshot();
        let captured = Captured {
            packets: shown.frames,
            bytes: shown.bytes,
            dropped: shown.kernel.dropped,
            dropped_by_interface: shown.kernel.dropped_by_interface,
            shed: shown.frames_shed,
        };
        metrics.captured(&interface, thread, &captured);
        flows += shown.flows;
        facts += shown.facts_shed;
        lost += shown.judged_lost;
        last = last.max(shown.last_frame.as_nanos() / 1_000);
    }
    metrics.flows(flows);
    metrics.queue_shed("facts", facts);
    metrics.queue_shed("judged", lost);
    metrics.queue_shed("hurried", judged.hurried);
    for (name, count) in board.counters().into_iter().filter(|(name, _)| *name == "records_lost") {
        metrics.queue_shed(name, count);
    }
    if last > 0 {
        metrics.last_packet(last);
    }
}

/// Takes over how the sinks fare. The database may be locked for a while, so this is not for the loop that looks after everything.
pub(super) fn of_sinks(metrics: &Metrics, store: &Store, now: Timestamp) {
    match store.sink_states() {
        Ok(states) => metrics.sinks(&states, now.as_nanos() / 1_000_000),
        Err(error) => tracing::debug!("how the sinks fare cannot be read: {error}"),
    }
}
