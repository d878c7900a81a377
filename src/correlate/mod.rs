//! Across flows, pure: observations in, alerts out.
