//! Functions common to both drafts, under two versions of their types.

/// Implements the interfaces `store` and `batch` of one draft, whose generated modules are in scope.
///
/// `$cursor` is the type of a position in the list of keys.
macro_rules! implement_draft {
    ($cursor:ty) => {
        type KeyvalueResult<T> = wasmtime::Result<Result<T, Error>>;

        fn convert<T>(result: Result<T, Failure>) -> Result<T, Error> {
            result.map_err(Error::from)
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
            async fn open(&mut self, identifier: String) -> KeyvalueResult<Resource<Bucket>> {
                match Bucket::open(&self.sidecar, identifier) {
                    Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
                    Err(failure) => Ok(Err(failure.into())),
                }
            }
        }

        impl store::HostBucket for DaprWit {
            async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> KeyvalueResult<Option<Vec<u8>>> {
                Ok(convert(self.table.get(&bucket)?.get(&key).await))
            }

            async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> KeyvalueResult<()> {
                Ok(convert(self.table.get(&bucket)?.set(vec![(key, value)]).await))
            }

            async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> KeyvalueResult<()> {
                Ok(convert(self.table.get(&bucket)?.delete(vec![key]).await))
            }

            async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> KeyvalueResult<bool> {
                Ok(convert(self.table.get(&bucket)?.get(&key).await.map(|value| value.is_some())))
            }

            async fn list_keys(&mut self, bucket: Resource<Bucket>, _: Option<$cursor>) -> KeyvalueResult<KeyResponse> {
                self.table.get(&bucket)?;
                Ok(Err(Error::Other(LISTING_UNSUPPORTED.to_owned())))
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
            ) -> KeyvalueResult<Vec<Option<(String, Vec<u8>)>>> {
                Ok(convert(self.table.get(&bucket)?.get_many(keys).await))
            }

            async fn set_many(
                &mut self,
                bucket: Resource<Bucket>,
                pairs: Vec<(String, Vec<u8>)>,
            ) -> KeyvalueResult<()> {
                Ok(convert(self.table.get(&bucket)?.set(pairs).await))
            }

            async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> KeyvalueResult<()> {
                Ok(convert(self.table.get(&bucket)?.delete(keys).await))
            }
        }
    };
}

/// Adds `delta` to the number in `text`.
macro_rules! add {
    ($number:ty, $delta:expr) => {
        |text: &str| {
            let now: $number = text.parse().map_err(|_| "this is no number".to_owned())?;
            Ok(now.checked_add($delta).ok_or("the sum is too large")?.to_string())
        }
    };
}

pub(super) use {add, implement_draft};
