//! Rules and indicators: file formats to matchers.
