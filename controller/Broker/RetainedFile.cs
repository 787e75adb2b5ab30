using System.Buffers;
using Fleet.Contracts;
using Microsoft.Data.Sqlite;
using MQTTnet;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>
/// Retained messages on disk: one SQLite table, written in batches by one worker. What waits to be written is at most one message a
/// topic. With a write-ahead log a killed process loses the last batch at most, and never the file. Topic, payload, quality and expiry are
/// kept; other MQTT 5 properties, which the fleet's retained messages have none of, are not.
/// </summary>
internal sealed class RetainedFile : IAsyncDisposable
{
    private const int BatchMax = 5_000;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    private readonly SqliteConnection database;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private Dictionary<string, (MqttApplicationMessage? Message, long? Expiry)> waiting = new(StringComparer.Ordinal);
    private Task writing = Task.CompletedTask;
    private string fault = "";

    private RetainedFile(SqliteConnection database, TimeProvider time) => (this.database, this.time) = (database, time);

    /// <summary>Why the file cannot be written at the moment; empty when it can.</summary>
    public string Fault => Volatile.Read(ref fault);

    /// <summary>What waits for it because of that.</summary>
    public long Unsaved
    {
        get
        {
            lock (gate) return Fault.Length > 0 ? waiting.Count : 0;
        }
    }

    public static RetainedFile Open(string directory, TimeProvider time)
    {
        var path = Path.Combine(directory, "retained.db");
        SqliteConnection? database = null;
        try
        {
            Directory.CreateDirectory(directory);
            database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
            database.Open();
            using var command = database.CreateCommand();
            command.CommandText = """
                PRAGMA journal_mode=WAL;
                PRAGMA synchronous=NORMAL;
                CREATE TABLE IF NOT EXISTS retained (topic TEXT PRIMARY KEY, payload BLOB NOT NULL, quality INTEGER NOT NULL) WITHOUT ROWID;
                """;
            command.ExecuteNonQuery();
            // Files of earlier versions have no expiry.
            command.CommandText = "SELECT COUNT(*) FROM pragma_table_info('retained') WHERE name = 'expires_unix_s'";
            if ((long)command.ExecuteScalar()! == 0)
            {
                command.CommandText = "ALTER TABLE retained ADD COLUMN expires_unix_s INTEGER";
                command.ExecuteNonQuery();
            }
            return new RetainedFile(database, time);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            database?.Dispose();
            throw new FaultsException($"broker state {path}", "cannot be opened: " + e.Message);
        }
    }

    /// <summary>Everything kept, and when it expires in Unix seconds.</summary>
    /// <exception cref="FaultsException">The file is damaged.</exception>
    public IEnumerable<(MqttApplicationMessage Message, long? Expiry)> Load()
    {
        using var command = database.CreateCommand();
        command.CommandText = "SELECT topic, payload, quality, expires_unix_s FROM retained";
        using var rows = Told(command.ExecuteReader);
        while (Told(rows.Read))
        {
            var expiry = rows.IsDBNull(3) ? (long?)null : rows.GetInt64(3);
            yield return (new MqttApplicationMessage
            {
                Topic = rows.GetString(0),
                Payload = new ReadOnlySequence<byte>(rows.GetFieldValue<byte[]>(1)),
                QualityOfServiceLevel = (MqttQualityOfServiceLevel)rows.GetInt32(2),
                Retain = true,
                // Its end is what counts; any interval says that it has one.
                MessageExpiryInterval = expiry is null ? 0u : 1u,
            }, expiry);
        }
    }

    private T Told<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException e)
        {
            throw new FaultsException($"broker state {database.DataSource}", $"cannot be read: {e.Message} Remove it to begin without retained messages");
        }
    }

    public void StartWriting() => writing = WriteAsync();

    /// <summary>Null: it was cleared. Written soon.</summary>
    public void Put(string topic, MqttApplicationMessage? message, long? expiry)
    {
        lock (gate) waiting[topic] = (message, expiry);
    }

    public async ValueTask DisposeAsync()
    {
        stop.Cancel();
        await writing;
        while (WriteBatch())
        {
        }
        await database.DisposeAsync();
        stop.Dispose();
    }

    private async Task WriteAsync()
    {
        using var ticks = new PeriodicTimer(Between, time);
        try
        {
            while (await ticks.WaitForNextTickAsync(stop.Token))
                while (WriteBatch() && !stop.IsCancellationRequested)
                {
                }
        }
        catch (OperationCanceledException)
        {
            // The last batch is written by DisposeAsync.
        }
    }

    /// <summary>False when nothing is left, or nothing can be written.</summary>
    private bool WriteBatch()
    {
        KeyValuePair<string, (MqttApplicationMessage? Message, long? Expiry)>[] batch;
        lock (gate)
        {
            if (waiting.Count == 0) return false;
            if (waiting.Count <= BatchMax)
            {
                batch = [.. waiting];
                waiting = new(StringComparer.Ordinal);
            }
            else
            {
                batch = [.. waiting.Take(BatchMax)];
                foreach (var (topic, _) in batch) waiting.Remove(topic);
            }
        }
        try
        {
            Write(batch);
            Volatile.Write(ref fault, "");
            return true;
        }
        catch (SqliteException e)
        {
            // A full or failing disk: the broker goes on without it, says so, and writes what is newest by then once it can.
            lock (gate)
                foreach (var (topic, message) in batch) waiting.TryAdd(topic, message);
            Volatile.Write(ref fault, e.Message);
            return false;
        }
    }

    private void Write(KeyValuePair<string, (MqttApplicationMessage? Message, long? Expiry)>[] batch)
    {
        using var transaction = database.BeginTransaction();
        using var put = database.CreateCommand();
        put.CommandText = "INSERT INTO retained VALUES ($topic, $payload, $quality, $expiry) ON CONFLICT (topic) DO UPDATE SET payload = excluded.payload, quality = excluded.quality, expires_unix_s = excluded.expires_unix_s";
        var topic = put.Parameters.Add("$topic", SqliteType.Text);
        var payload = put.Parameters.Add("$payload", SqliteType.Blob);
        var quality = put.Parameters.Add("$quality", SqliteType.Integer);
        var ends = put.Parameters.Add("$expiry", SqliteType.Integer);
        using var remove = database.CreateCommand();
        remove.CommandText = "DELETE FROM retained WHERE topic = $topic";
        var removed = remove.Parameters.Add("$topic", SqliteType.Text);
        foreach (var (name, (message, expiry)) in batch)
        {
            if (message is null)
            {
                removed.Value = name;
                remove.ExecuteNonQuery();
                continue;
            }
            topic.Value = name;
            payload.Value = message.Payload.ToArray();
            quality.Value = (int)message.QualityOfServiceLevel;
            ends.Value = expiry is { } end ? end : DBNull.Value;
            put.ExecuteNonQuery();
        }
        transaction.Commit();
    }
}
