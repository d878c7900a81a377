//! Capture files: pcap and pcapng, plain or compressed, one by one or whole folders.
