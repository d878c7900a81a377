//! Stories of the local network, message by message.
