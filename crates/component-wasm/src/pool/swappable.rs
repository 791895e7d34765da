//! An instance pool whose module can be replaced.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Pool, World};
use crate::engine::Module;
use crate::error::{OpenError, ReplaceError};
use crate::options::Options;

/// The pool of one component, across replacements of its module.
pub(crate) struct SwappablePool<W: World>(RwLock<Arc<Pool<W>>>);

impl<W: World> SwappablePool<W> {
    /// Checks the component and starts its first instance.
    pub(crate) async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        Ok(Self(RwLock::new(Arc::new(Pool::open(module, options).await?))))
    }

    /// Returns the current pool.
    pub(crate) fn pool(&self) -> Arc<Pool<W>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the module, with the same options, if both descriptions are `alike`.
    ///
    /// Calls that have started end on the old instances, all others go to the new ones. The old instances' memory is
    /// lost.
    pub(crate) async fn replace(
        &self,
        module: &Module,
        alike: fn(&W::Description, &W::Description) -> bool,
    ) -> Result<(), ReplaceError> {
        let old = self.pool();
        let new = Pool::open(module, old.options().clone()).await?;
        if !alike(old.description(), new.description()) {
            return Err(ReplaceError::Features);
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(())
    }
}
