//! The macros that export a component, and the instance that its exported functions call.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::thread::LocalKey;

/// Place of a component's instance.
pub type Slot<T> = RefCell<Option<T>>;

/// A component that a macro of this crate exports.
pub trait Exported: Sized + 'static {
    /// Returns the place of the instance: a component has one thread.
    fn slot() -> &'static LocalKey<Slot<Self>>;
}

/// Functions of the contract for the component `T`.
pub struct Exports<T>(PhantomData<T>);

/// Keeps the instance that `init` created.
pub(crate) fn keep<T: Exported>(instance: T) {
    T::slot().set(Some(instance));
}

/// Calls the instance.
///
/// # Panics
/// If there is none: the host called a function before `init` succeeded, which the contract forbids.
#[expect(clippy::panic, reason = "some functions have no error that could be returned")]
pub(crate) fn call<T: Exported, R>(function: impl FnOnce(&mut T) -> R) -> R {
    T::slot().with_borrow_mut(|instance| match instance {
        Some(instance) => function(instance),
        None => panic!("called before init succeeded"),
    })
}

/// Exports a type that implements [`StateStore`](crate::StateStore) as the component of this crate.
#[macro_export]
macro_rules! export_state_store {
    ($store:ty) => {
        $crate::export_component!($store, $crate::contract::state_store);
    };
}

/// Exports a type that implements [`SecretStore`](crate::SecretStore) as the component of this crate.
#[macro_export]
macro_rules! export_secret_store {
    ($store:ty) => {
        $crate::export_component!($store, $crate::contract::secret_store);
    };
}

/// Exports a type that implements [`OutputBinding`](crate::OutputBinding) as the component of this crate.
#[macro_export]
macro_rules! export_output_binding {
    ($binding:ty) => {
        $crate::export_component!($binding, $crate::contract::output_binding);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_component {
    ($component:ty, $($world:tt)*) => {
        const _: () = {
            ::std::thread_local! {
                static INSTANCE: $crate::export::Slot<$component> = const { ::std::cell::RefCell::new(None) };
            }

            impl $crate::export::Exported for $component {
                fn slot() -> &'static ::std::thread::LocalKey<$crate::export::Slot<Self>> {
                    &INSTANCE
                }
            }

            // On targets without exports, nothing else would use the component.
            let _ = <$component as $crate::export::Exported>::slot;

            #[cfg(target_arch = "wasm32")]
            type Exports = $crate::export::Exports<$component>;
            #[cfg(target_arch = "wasm32")]
            $($world)*::export!(Exports with_types_in $($world)*);
        };
    };
}
