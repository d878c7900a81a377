//! The loop that carries frames from a source through the engine to an output, on one worker or several.
