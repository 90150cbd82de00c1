//! The measure of everything here: one row, one statement, one synchronous commit on the same database.
//!
//! Owns the table for it. The statement is prepared and commits by itself, so it is one way to the server and back, and one sync.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, Statement};

/// The one statement.
const COMMIT: &str = "UPDATE bench_rows SET beat = beat + 1 WHERE id = $1";

/// Connections that commit, each a row of its own.
pub(super) struct Commits {
    runtime: Runtime,
    lanes: Vec<Lane>,
}

struct Lane {
    client: Client,
    statement: Statement,
    row: i32,
}

impl Commits {
    pub(super) fn open(store: &str, connections: i32) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let lanes = runtime.block_on(open(store, connections))?;
        Ok(Self { runtime, lanes })
    }

    /// One commit; how long it took.
    pub(super) fn one(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.runtime.block_on(self.lanes[0].commit())?;
        Ok(began.elapsed())
    }

    /// As many as there may be in this time, on all connections at once; how many there were.
    pub(super) fn many(&mut self, span: Duration) -> anyhow::Result<usize> {
        let until = Instant::now() + span;
        let lanes = std::mem::take(&mut self.lanes);
        self.runtime.block_on(async {
            let mut working = JoinSet::new();
            for lane in lanes {
                working.spawn(async move {
                    let mut done = 0;
                    while Instant::now() < until {
                        lane.commit().await?;
                        done += 1;
                    }
                    anyhow::Ok((done, lane))
                });
            }
            let mut all = 0;
            while let Some(worked) = working.join_next().await {
                let (done, lane) = worked??;
                all += done;
                self.lanes.push(lane);
            }
            Ok(all)
        })
    }
}

impl Lane {
    async fn commit(&self) -> anyhow::Result<()> {
        let changed = self.client.execute(&self.statement, &[&self.row]).await?;
        ensure!(changed == 1, "{changed} rows instead of one");
        Ok(())
    }
}

async fn open(store: &str, connections: i32) -> anyhow::Result<Vec<Lane>> {
    let mut lanes = Vec::new();
    for row in 0..connections {
        let (client, connection) = tokio_postgres::connect(store, NoTls).await?;
        tokio::spawn(connection);
        if row == 0 {
            client
                .batch_execute(&format!(
                    "CREATE TABLE IF NOT EXISTS bench_rows (id int PRIMARY KEY, beat bigint NOT NULL) WITH (fillfactor = 10);
                     INSERT INTO bench_rows SELECT n, 0 FROM generate_series(0, {connections} - 1) n ON CONFLICT DO NOTHING"
                ))
                .await?;
        }
        let statement = client.prepare(COMMIT).await?;
        lanes.push(Lane { client, statement, row });
    }
    Ok(lanes)
}
