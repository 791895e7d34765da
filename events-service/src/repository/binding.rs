//! SQL through a Dapr output binding.

use async_trait::async_trait;
use dapr_client::Dapr;
use serde_json::Value;

use super::DatabaseError;
use super::sql::SqlAccess;

/// A binding with the operations `exec` and `query`, like Dapr's `bindings.mysql`.
pub(super) struct SqlBinding {
    dapr: Dapr,
    name: String,
}

impl SqlBinding {
    pub(super) fn new(dapr: Dapr, name: String) -> Self {
        Self { dapr, name }
    }

    async fn call(
        &self,
        operation: &str,
        sql: &str,
        params: &[Value],
    ) -> Result<dapr_client::BindingResponse, DatabaseError> {
        let mut call = self.dapr.binding(&self.name).operation(operation).metadata("sql", sql);
        if !params.is_empty() {
            call = call.json_metadata("params", &params);
        }
        call.send().await.map_err(DatabaseError::Binding)
    }
}

#[async_trait]
impl SqlAccess for SqlBinding {
    async fn exec(&self, sql: &str, params: &[Value]) -> Result<(), DatabaseError> {
        self.call("exec", sql, params).await.map(drop)
    }

    async fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Value>, DatabaseError> {
        let answer = self.call("query", sql, params).await?;
        if answer.data.is_empty() {
            return Ok(Vec::new());
        }
        // A result without rows is `null`.
        let rows: Option<Vec<Value>> = serde_json::from_slice(&answer.data).map_err(DatabaseError::Response)?;
        Ok(rows.unwrap_or_default())
    }
}
