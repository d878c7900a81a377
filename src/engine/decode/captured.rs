//! Captured bytes with what is known of the wire, and taking headers off them.

/// Captured bytes with what is known of the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Captured<'a> {
    /// What was captured.
    pub(super) bytes: &'a [u8],
    /// How many bytes of the wire follow that were not captured.
    pub(super) beyond: u32,
}

impl<'a> Captured<'a> {
    /// Splits off the first `N` bytes.
    #[inline]
    pub(super) fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(first)
    }

    /// What follows the first `len` bytes, if so many were captured.
    pub(super) fn after(self, len: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes.get(len..)?, ..self })
    }

    /// Cuts what follows the first `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        match self.bytes.get(..len) {
            Some(first) => *self = Self { bytes: first, beyond: 0 },
            None => {
                let missing = len.saturating_sub(self.bytes.len());
                self.beyond = self.beyond.min(u32::try_from(missing).unwrap_or(u32::MAX));
            }
        }
    }

    /// Cuts the last `len` bytes of the wire.
    pub(super) fn without_last(mut self, len: u32) -> Self {
        let total = self.len();
        self.truncate(usize::try_from(total.saturating_sub(u64::from(len))).unwrap_or(usize::MAX));
        self
    }

    /// Bytes on the wire.
    pub(super) fn len(&self) -> u64 {
        (self.bytes.len() as u64).saturating_add(u64::from(self.beyond))
    }

    /// The upper half of the first byte: the version of an IP packet.
    pub(super) fn nibble(&self) -> Option<u8> {
        self.bytes.first().map(|first| first >> 4)
    }
}
