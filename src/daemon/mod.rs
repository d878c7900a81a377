//! The daemon: threads, signals, health, and nothing that decides what an attack is.

mod begin;
pub mod confine;
mod events;
mod figures;
mod health;
mod keeper;
mod log;
pub mod metrics;
mod minute;
mod notify;
mod reload;
mod sensor;
mod signals;
mod wall;

pub use begin::{RunError, run};
pub use keeper::{Keep, Keeper, KeeperBoard, Keeps};
pub use reload::{Begun, LoadError};
pub use wall::SystemWall;
