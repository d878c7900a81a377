//! One line for each detector, in the order in which an alert lists them.

use super::{
    Described, Detector, bare_response, close_contradiction, competing_syn_ack, content_insert, device_fingerprint, dns_conflict,
    downgrade, early_answer, genuine_silence, hop_shift, indicator, ip_id_break, overlap_conflict, redirect_semantics, stack_break,
    unread_question,
};

/// All detectors.
pub static DETECTORS: &[&dyn Detector] = &[
    &overlap_conflict::OverlapConflict,
    &competing_syn_ack::CompetingSynAck,
    &early_answer::EarlyAnswer,
    &hop_shift::HopShift,
    &ip_id_break::IpIdBreak,
    &stack_break::StackBreak,
    &unread_question::UnreadQuestion,
    &genuine_silence::GenuineSilence,
    &device_fingerprint::DeviceFingerprint,
    &close_contradiction::CloseContradictionDetector,
    &bare_response::BareResponse,
    &redirect_semantics::RedirectSemantics,
    &indicator::Indicator,
    &content_insert::ContentInsert,
    &downgrade::Downgrade,
];

/// Those that look at a question of DNS and its answers.
pub static OF_DNS: &[&Described] = &[&dns_conflict::DESCRIBED];
