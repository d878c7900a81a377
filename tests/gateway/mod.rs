//! The lab of the whole daemon: a gateway in network namespaces with real servers, browsers, log receivers, and an attacker beside the road.

mod attacks;
mod beside;
mod certificates;
mod logs;
mod programs;
mod receiver;
mod site;
mod span;
mod street;
mod visitors;
