//! Secrets: stored by whoever faces the network, read by workers only.

mod arguments;
mod dump;
mod lost;
mod opened;
mod printed;
mod rotation;
mod vars;

use std::path::Path;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;

use crate::support::app::App;
use crate::support::app::developer::Copy;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every row of every table, as text.
async fn dump(app: &App) -> String {
    let tables =
        ask(app, "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'");
    let mut dump = String::new();
    for table in tables.await {
        dump.push_str(&format!("-- {table}\n"));
        let rows = ask(app, &format!("SELECT t::text AS line FROM \"{table}\" t")).await;
        dump.push_str(&rows.join("\n"));
    }
    dump
}

async fn ask(app: &App, sql: &str) -> Vec<String> {
    let sql = sql.to_owned();
    let lines: diesel::QueryResult<Vec<Line>> =
        app.db.run(async move |c| diesel::sql_query(sql).load(c).await).await;
    lines.unwrap().into_iter().map(|line| line.line).collect()
}

/// The keys that are configured from now on.
fn configure(app: &mut App, public: &Path, private: &[&Path]) {
    app.settings.tables.push(("seal", format!("public_key = {public:?}")));
    app.settings.tables.push(("seal", format!("private_keys = {private:?}")));
    app.write_configuration();
}

/// An application that shows a variable of its container.
fn write_shown(copy: &Copy, value: &str, rest: &str) {
    // Nobody else's image of the same content may lend its layers.
    let own = copy.path.display();
    copy.write(
        "Dockerfile",
        &format!(
            "FROM busybox:stable\nRUN mkdir /www && echo {own} > /own\n\
             CMD [\"sh\", \"-c\", \"echo $SHOWN > /www/index.html; httpd -f -p 8080 -h /www\"]\n"
        ),
    );
    let variables = format!("        listen: [8080]\n        variables: {{SHOWN: \"{value}\"}}");
    let file = copy.paas_yaml().replace("        listen: [8080]", &variables);
    copy.write(".paas.yaml", &format!("{file}{rest}"));
}
