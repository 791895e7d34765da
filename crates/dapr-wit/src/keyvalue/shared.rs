//! What both drafts have in common: the same functions under two versions of their types.

/// Answers the interfaces `store` and `batch` of one draft, whose generated modules are in scope; `$cursor` is where a page of keys
/// begins.
macro_rules! answer_draft {
    ($cursor:ty) => {
        type Answer<T> = wasmtime::Result<Result<T, Error>>;

        fn told<T>(answer: Result<T, Failure>) -> Result<T, Error> {
            answer.map_err(Error::from)
        }

        impl From<Failure> for Error {
            fn from(failure: Failure) -> Self {
                match failure {
                    Failure::NoSuchStore => Self::NoSuchStore,
                    Failure::Other(why) => Self::Other(why),
                }
            }
        }

        impl store::Host for DaprWit {
            async fn open(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
                match Bucket::open(&self.sidecar, identifier) {
                    Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
                    Err(failure) => Ok(Err(failure.into())),
                }
            }
        }

        impl store::HostBucket for DaprWit {
            async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
                Ok(told(self.table.get(&bucket)?.get(&key).await))
            }

            async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
                Ok(told(self.table.get(&bucket)?.set(vec![(key, value)]).await))
            }

            async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<()> {
                Ok(told(self.table.get(&bucket)?.delete(vec![key]).await))
            }

            async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<bool> {
                Ok(told(self.table.get(&bucket)?.get(&key).await.map(|value| value.is_some())))
            }

            async fn list_keys(&mut self, bucket: Resource<Bucket>, _: Option<$cursor>) -> Answer<KeyResponse> {
                self.table.get(&bucket)?;
                Ok(Err(Error::Other(UNLISTED.to_owned())))
            }

            async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
                self.table.delete(bucket)?;
                Ok(())
            }
        }

        impl batch::Host for DaprWit {
            async fn get_many(
                &mut self,
                bucket: Resource<Bucket>,
                keys: Vec<String>,
            ) -> Answer<Vec<Option<(String, Vec<u8>)>>> {
                Ok(told(self.table.get(&bucket)?.get_many(keys).await))
            }

            async fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
                Ok(told(self.table.get(&bucket)?.set(pairs).await))
            }

            async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answer<()> {
                Ok(told(self.table.get(&bucket)?.delete(keys).await))
            }
        }
    };
}

/// Adds `delta` to the number that `text` is.
macro_rules! add {
    ($number:ty, $delta:expr) => {
        |text: &str| {
            let now: $number = text.parse().map_err(|_| "this is no number".to_owned())?;
            Ok(now.checked_add($delta).ok_or("the sum is too large")?.to_string())
        }
    };
}

pub(super) use {add, answer_draft};
