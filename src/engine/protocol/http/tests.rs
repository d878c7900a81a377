//! Stories of the HTTP reader.
