//! One task of the official Rust client: `official-client ENDPOINT TASK JSON`, where the endpoint `profile`
//! stands for what the client finds by itself. Prints the result as JSON; errors end it with exit code 1.

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use fluvio::consumer::{ConsumerConfigExtBuilder, ConsumerStream, OffsetManagementStrategy};
use fluvio::metadata::partition::PartitionSpec;
use fluvio::metadata::spu::SpuSpec;
use fluvio::metadata::topic::TopicSpec;
use fluvio::{
    Compression, Fluvio, FluvioClusterConfig, Isolation, Offset, RecordKey, TopicProducerConfigBuilder,
};
use futures_util::StreamExt;
use serde_json::{json, Value};

type Outcome<T = Value> = Result<T, Box<dyn Error>>;

fn text<'a>(parameters: &'a Value, name: &str) -> Outcome<&'a str> {
    parameters[name]
        .as_str()
        .ok_or_else(|| format!("{name} is missing").into())
}

fn number(parameters: &Value, name: &str) -> Outcome<u32> {
    Ok(parameters[name]
        .as_u64()
        .ok_or_else(|| format!("{name} is missing"))?
        .try_into()?)
}

async fn admin(client: &Fluvio, parameters: &Value) -> Outcome {
    let topic = text(parameters, "topic")?.to_string();
    let admin = client.admin().await;
    let spec = TopicSpec::new_computed(number(parameters, "partitions")?, 1, None);
    admin.create(topic.clone(), false, spec).await?;
    let created = admin.list::<TopicSpec, _>(vec![topic.clone()]).await?;
    let topics = admin.all::<TopicSpec>().await?;
    let partitions = admin.all::<PartitionSpec>().await?;
    let spus = admin.all::<SpuSpec>().await?;
    admin.delete::<TopicSpec>(topic).await?;
    let afterwards = admin.all::<TopicSpec>().await?;
    let names = |found: &[fluvio::metadata::objects::Metadata<TopicSpec>]| -> Vec<String> {
        found.iter().map(|topic| topic.name.clone()).collect()
    };
    let created: Vec<_> = created.iter().map(|topic| json!([topic.name, topic.spec.partitions()])).collect();
    Ok(json!({
        "created": created,
        "topics": names(&topics),
        "partitions": partitions.iter().map(|each| json!([each.name, each.spec.leader])).collect::<Vec<_>>(),
        "spus": spus.iter().map(|spu| json!([spu.spec.id, spu.status.is_online()])).collect::<Vec<_>>(),
        "afterwards": names(&afterwards),
    }))
}

/// `records`: pairs of a key, or null, and a value. Returns the partition and offset of each.
async fn produce(client: &Fluvio, parameters: &Value) -> Outcome {
    let mut config = TopicProducerConfigBuilder::default();
    if let Some(name) = parameters["compression"].as_str() {
        config.compression(name.parse::<Compression>()?);
    }
    if parameters["committed"] == true {
        config.isolation(Isolation::ReadCommitted);
    }
    let producer = client
        .topic_producer_with_config(text(parameters, "topic")?, config.build()?)
        .await?;
    let mut sent = vec![];
    for record in parameters["records"].as_array().ok_or("records are missing")? {
        let value = record[1].as_str().ok_or("a value is missing")?;
        let key = record[0].as_str().map_or(RecordKey::NULL, RecordKey::from);
        sent.push(producer.send(key, value).await?);
    }
    producer.flush().await?;
    let mut rows = vec![];
    for outcome in sent {
        let place = outcome.wait().await?;
        rows.push(json!([place.partition_id(), place.offset()]));
    }
    Ok(rows.into())
}

/// Rows of partition, offset, key or null, and value: `count` of them, from `start` or the beginning on. With
/// a `consumer` the last one is committed under that name, and reading begins where the name has come to.
async fn consume(client: &Fluvio, parameters: &Value) -> Outcome {
    let mut config = ConsumerConfigExtBuilder::default();
    config.topic(text(parameters, "topic")?);
    config.offset_start(match parameters["start"].as_i64() {
        Some(start) => Offset::absolute(start)?,
        None => Offset::beginning(),
    });
    if parameters["partition"].is_number() {
        config.partition(number(parameters, "partition")?);
    }
    let managed = parameters["consumer"].as_str();
    if let Some(name) = managed {
        config
            .offset_consumer(name)
            .offset_strategy(OffsetManagementStrategy::Manual);
    }
    let mut stream = client.consumer_with_config(config.build()?).await?;
    let mut rows = vec![];
    for _ in 0..number(parameters, "count")? {
        let record = stream.next().await.ok_or("the stream has ended")??;
        let key = record
            .get_key()
            .map(|key| key.as_utf8_lossy_string().into_owned());
        let value = record.get_value().as_utf8_lossy_string();
        rows.push(json!([record.partition(), record.offset(), key, value]));
    }
    if managed.is_some() {
        stream.offset_commit().await?;
        stream.offset_flush().await?;
    }
    Ok(rows.into())
}

async fn exchange(client: &Fluvio, parameters: &Value) -> Outcome {
    produce(client, parameters).await?;
    consume(client, parameters).await
}

/// The names of consumers with the offsets that they have committed.
async fn consumers(client: &Fluvio, _: &Value) -> Outcome {
    let found = client.consumer_offsets().await?;
    Ok(found
        .iter()
        .map(|each| json!([each.consumer_id, each.topic, each.partition, each.offset]))
        .collect())
}

/// The text of each failure, and the milliseconds that it took.
async fn refused(client: &Fluvio, parameters: &Value) -> Outcome {
    let topic = text(parameters, "topic")?;
    let admin = client.admin().await;
    let mut begin = Instant::now();
    let mut row = |failure: Option<String>| {
        let row = json!([
            failure.unwrap_or("no error".into()),
            begin.elapsed().as_millis() as u64
        ]);
        begin = Instant::now();
        row
    };
    let spec = TopicSpec::new_computed(1, 1, None);
    let create = admin.create(topic.to_string(), false, spec).await;
    let create = row(create.err().map(|error| error.to_string()));
    let delete = row(admin
        .delete::<TopicSpec>("nowhere")
        .await
        .err()
        .map(|error| error.to_string()));
    let produce = row(client
        .topic_producer("nowhere")
        .await
        .err()
        .map(|error| error.to_string()));
    Ok(json!({"create": create, "delete": delete, "produce": produce}))
}

async fn run(endpoint: &str, task: &str, parameters: &str) -> Outcome {
    let client = match endpoint {
        "profile" => Fluvio::connect().await?,
        address => Fluvio::connect_with_config(&FluvioClusterConfig::new(address)).await?,
    };
    let parameters: Value = serde_json::from_str(parameters)?;
    match task {
        "admin" => admin(&client, &parameters).await,
        "produce" => produce(&client, &parameters).await,
        "consume" => consume(&client, &parameters).await,
        "exchange" => exchange(&client, &parameters).await,
        "consumers" => consumers(&client, &parameters).await,
        "refused" => refused(&client, &parameters).await,
        _ => Err(format!("no task {task}").into()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, task, parameters] = &arguments[..] else {
        eprintln!("ENDPOINT TASK JSON");
        return ExitCode::FAILURE;
    };
    match fluvio_future::task::run_block_on(run(endpoint, task, parameters)) {
        Ok(result) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
