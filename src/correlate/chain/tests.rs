//! Stories of clients that follow a redirect, or go elsewhere.
