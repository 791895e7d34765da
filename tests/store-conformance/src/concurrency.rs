//! Concurrent writers on one key.

use dapr_building_blocks::state::GetRequest;
use futures_util::future::{join_all, join3};

use crate::subject::{Subject, first_write, with_etag};

const WRITERS: usize = 16;
const ROUNDS: usize = 20;

pub(crate) async fn concurrent_writers_with_one_etag_have_one_winner(s: Subject) {
    s.put("k", "start").await;
    for round in 0..ROUNDS {
        let etags = vec![s.etag("k").await; WRITERS];
        one_of_them_writes(&s, round, etags).await;
    }
}

pub(crate) async fn concurrent_read_modify_writers_have_one_winner(s: Subject) {
    s.put("k", "start").await;
    for round in 0..ROUNDS {
        let etags = join_all((0..WRITERS).map(|_| s.etag("k"))).await;
        one_of_them_writes(&s, round, etags).await;
    }
}

async fn one_of_them_writes(s: &Subject, round: usize, etags: Vec<String>) {
    let write = |(writer, etag)| s.set(with_etag(s.write("k", format!("{round}-{writer}")), etag));
    let results = join_all(etags.into_iter().enumerate().map(write)).await;
    let winners: Vec<usize> = (0..WRITERS).filter(|writer| results[*writer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "round {round}: winners {winners:?}");
    assert_eq!(s.value("k").await.unwrap(), format!("{round}-{}", winners[0]));
}

pub(crate) async fn concurrent_first_writers_have_one_winner(s: Subject) {
    for round in 0..ROUNDS {
        let name = format!("k{round}");
        let write = |writer: usize| s.set(first_write(s.write(&name, writer.to_string())));
        let results = join_all((0..WRITERS).map(write)).await;
        let winners: Vec<usize> = (0..WRITERS).filter(|writer| results[*writer].is_ok()).collect();
        assert_eq!(winners.len(), 1, "round {round}: winners {winners:?}");
        assert_eq!(s.value(&name).await.unwrap(), winners[0].to_string());
    }
}

pub(crate) async fn optimistic_increments_are_never_lost(s: Subject) {
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

pub(crate) async fn readers_never_see_partial_writes(s: Subject) {
    let value = |letter: u8| vec![letter; 100_000];
    s.put("k", value(b'a')).await;
    let write = async {
        for round in 0..ROUNDS {
            s.put("k", value(if round % 2 == 0 { b'b' } else { b'a' })).await;
        }
    };
    let read = async {
        for _ in 0..ROUNDS {
            let seen = s.value("k").await.unwrap();
            assert!(seen.len() == 100_000 && seen.iter().all(|byte| *byte == seen[0]));
        }
    };
    join3(write, read, read_again(&s)).await;
}

async fn read_again(s: &Subject) {
    for _ in 0..ROUNDS {
        let requests = vec![GetRequest::new(s.key("k"))];
        let seen = s.store.bulk_get(requests, 0).await.remove(0).unwrap().unwrap().value;
        assert!(seen.iter().all(|byte| *byte == seen[0]));
    }
}
