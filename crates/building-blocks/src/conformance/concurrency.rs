//! Many writers on one key.

use futures_util::future::join_all;

use super::subject::{Subject, first_write, with_etag};

const WRITERS: usize = 16;
const ROUNDS: usize = 20;

pub(super) async fn sixteen_writers_with_one_etag_have_one_winner_in_every_round(s: Subject) {
    s.put("k", "start").await;
    for round in 0..ROUNDS {
        let etag = s.etag("k").await;
        let write = |writer| s.set(with_etag(s.write("k", format!("{round}-{writer}")), &*etag));
        let results = join_all((0..WRITERS).map(write)).await;
        let winners: Vec<usize> = (0..WRITERS).filter(|writer| results[*writer].is_ok()).collect();
        assert_eq!(winners.len(), 1, "round {round}: winners {winners:?}");
        assert_eq!(s.value("k").await.unwrap(), format!("{round}-{}", winners[0]));
    }
}

pub(super) async fn sixteen_first_writers_have_one_winner(s: Subject) {
    for round in 0..ROUNDS {
        let name = format!("k{round}");
        let write = |writer: usize| s.set(first_write(s.write(&name, writer.to_string())));
        let results = join_all((0..WRITERS).map(write)).await;
        let winners: Vec<usize> = (0..WRITERS).filter(|writer| results[*writer].is_ok()).collect();
        assert_eq!(winners.len(), 1, "round {round}: winners {winners:?}");
        assert_eq!(s.value(&name).await.unwrap(), winners[0].to_string());
    }
}

pub(super) async fn optimistic_increments_are_never_lost(s: Subject) {
    s.put("counter", "0").await;
    join_all((0..WRITERS).map(|_| increment(&s))).await;
    assert_eq!(s.value("counter").await.unwrap(), WRITERS.to_string());
}

async fn increment(s: &Subject) {
    loop {
        let item = s.get("counter").await.unwrap();
        let count: usize = std::str::from_utf8(&item.value).unwrap().parse().unwrap();
        let write = with_etag(s.write("counter", (count + 1).to_string()), item.etag.unwrap());
        match s.set(write).await {
            Ok(()) => return,
            Err(error) => assert!(error.is_etag(), "{error}"),
        }
    }
}
