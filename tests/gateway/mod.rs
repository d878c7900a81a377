//! The lab of the whole daemon: a gateway in network namespaces with real servers, browsers, log receivers, and an attacker beside the road.

mod attacks;
mod beside;
mod browsing;
mod certificates;
mod daemon;
mod disk;
mod faults;
mod logs;
mod nothing_lost;
mod programs;
mod receiver;
mod site;
mod span;
mod stream;
mod street;
mod visitors;
