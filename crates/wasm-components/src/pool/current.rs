//! The instances in use, whose module another may replace.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Pool, World};
use crate::engine::Module;
use crate::error::{OpenError, ReplaceError};
use crate::options::Options;

/// One component, whichever module it is made of now.
pub(crate) struct Current<W: World>(RwLock<Arc<Pool<W>>>);

impl<W: World> Current<W> {
    /// Checks the component and starts its first instance.
    pub(crate) async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        Ok(Self(RwLock::new(Arc::new(Pool::open(module, options).await?))))
    }

    /// The instances of now.
    pub(crate) fn pool(&self) -> Arc<Pool<W>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another module in the place of this one, under the same options, if what it says of itself is `alike`. Calls that
    /// have begun end on the old one, all others go to the new one. What the old one held in its memory is gone.
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
