//! The contract in `wit/components`, as generated for guests.

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/components has the documentation")]
pub mod state_store {
    wit_bindgen::generate!({
        path: "wit/components",
        world: "state-store",
        pub_export_macro: true,
    });
}

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/components has the documentation")]
pub mod secret_store {
    wit_bindgen::generate!({
        path: "wit/components",
        world: "secret-store",
        pub_export_macro: true,
        with: { "dapr:components/types@0.1.0": crate::contract::state_store::dapr::components::types },
    });
}

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/components has the documentation")]
pub mod output_binding {
    wit_bindgen::generate!({
        path: "wit/components",
        world: "output-binding",
        pub_export_macro: true,
        with: { "dapr:components/types@0.1.0": crate::contract::state_store::dapr::components::types },
    });
}

pub use state_store::dapr::components::types::InitError;
