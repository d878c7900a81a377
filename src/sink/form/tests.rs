//! What each form makes of a hostile alert and of events.
