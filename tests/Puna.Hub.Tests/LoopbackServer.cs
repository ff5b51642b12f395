using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Puna.Hub.Tests;

/// <summary>A request as it came over the wire.</summary>
internal sealed record Request(string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>An answer, and in which way it is to go wrong.</summary>
internal sealed record Reply(int Status, byte[] Body)
{
    public Dictionary<string, string> Headers { get; init; } = [];

    /// <summary>What Content-Length says; the truth unless set.</summary>
    public long? ClaimedLength { get; init; }

    /// <summary>Neither Content-Length nor chunks: the body ends with the connection.</summary>
    public bool WithoutLength { get; init; }

    public bool Chunked { get; init; }

    /// <summary>Close the connection after so many bytes of the body.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Send nothing any more after so many bytes of the body, and keep the connection open.</summary>
    public int? StallAfter { get; init; }

    /// <summary>Awaited after half of the body.</summary>
    public Task? HalfWay { get; init; }

    public Reply With(string name, string value) => this with { Headers = new(Headers) { [name] = value } };
}

/// <summary>An HTTP/1.1 server on loopback, written on a bare socket so that it can break every rule. One request per connection.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Request, Reply> _answer;
    private readonly Task _loop;

    public LoopbackServer(Func<Request, Reply> answer)
    {
        _answer = answer;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _loop = Task.Run(AcceptAsync);
    }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}";

    public ConcurrentQueue<Request> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = Task.Run(() => ServeAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                Request request = await ReadAsync(stream);
                Requests.Enqueue(request);
                await WriteAsync(stream, client, _answer(request));
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    private async Task<Request> ReadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0) throw new IOException("closed");
            head.Append((char)one[0]);
        }

        string[] lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] first = lines[0].Split(' ');
        return new Request(first[0], first[1], lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase));
    }

    private async Task WriteAsync(NetworkStream stream, TcpClient client, Reply reply)
    {
        var head = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {reply.Status} Whatever\r\nConnection: close\r\n"));
        if (reply.Chunked) head.Append("Transfer-Encoding: chunked\r\n");
        else if (!reply.WithoutLength) head.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.ClaimedLength ?? reply.Body.Length}\r\n");
        foreach ((string name, string value) in reply.Headers) head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head + "\r\n"), _stop.Token);

        int length = Math.Min(reply.Body.Length, reply.CutAfter ?? reply.StallAfter ?? int.MaxValue);
        int half = reply.HalfWay is null ? 0 : length / 2;
        await WriteBodyAsync(stream, reply.Body.AsMemory(0, half), reply.Chunked);
        if (reply.HalfWay is not null) await reply.HalfWay.WaitAsync(_stop.Token);
        await WriteBodyAsync(stream, reply.Body.AsMemory(half, length - half), reply.Chunked);
        if (reply.StallAfter is not null) await Task.Delay(Timeout.Infinite, _stop.Token);
        if (reply.CutAfter is null && reply.Chunked) await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), _stop.Token);

        // An orderly end: what was sent arrives before the connection is gone.
        client.Client.Shutdown(SocketShutdown.Send);
    }

    private async Task WriteBodyAsync(NetworkStream stream, ReadOnlyMemory<byte> body, bool chunked)
    {
        if (body.IsEmpty) return;
        if (chunked) await stream.WriteAsync(Encoding.ASCII.GetBytes(body.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), _stop.Token);
        await stream.WriteAsync(body, _stop.Token);
        if (chunked) await stream.WriteAsync("\r\n"u8.ToArray(), _stop.Token);
    }
}
