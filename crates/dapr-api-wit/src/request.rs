//! The request that the application is handling.

use crate::DaprWit;
use crate::contract::request as wit;

impl wit::Host for DaprWit {
    async fn peer(&mut self) -> Option<String> {
        self.peer.map(|peer| peer.to_string())
    }
}
