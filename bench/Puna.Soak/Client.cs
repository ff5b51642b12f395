using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Puna.Soak;

/// <summary>One client after the other on sockets of its own: well-behaved ones, ones that leave, ones that read or write slowly, and ones that send nonsense.</summary>
internal sealed class Client(int port, Tally tally)
{
    /// <summary>Longer than the server lets a request wait and compute at these loads; beyond it a request counts as stuck.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);

    /// <summary>Sends one request, drawn from <paramref name="random"/>, and counts what becomes of it.</summary>
    public async Task OneAsync(Random random)
    {
        using var limit = new CancellationTokenSource(Patience);
        string what = "nothing sent";
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port, limit.Token);
            switch (random.Next(20))
            {
                case < 11:
                    (string path, string body) = Requests.Ordinary(random);
                    what = path + " " + Short(body);
                    await SendAsync(socket, path, Encoding.UTF8.GetBytes(body), limit.Token);
                    Judge(path, await ReadAsync(socket, limit.Token), what);
                    break;
                case < 14:
                    (string wrong, byte[] bytes) = Requests.Wrong(random);
                    what = wrong + " " + Short(Encoding.UTF8.GetString(bytes));
                    await SendAsync(socket, wrong, bytes, limit.Token);
                    Judge(wrong, await ReadAsync(socket, limit.Token), what);
                    break;
                case < 17:
                    await LeaveAsync(socket, random, limit.Token);
                    break;
                case 17:
                    await SlowReaderAsync(socket, random, limit.Token);
                    break;
                case 18:
                    await SlowWriterAsync(socket, random, limit.Token);
                    break;
                default:
                    await NonsenseAsync(socket, random, limit.Token);
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            tally.Fault($"stuck for {Patience.TotalSeconds:0} s: {what}");
        }
        catch (Exception error) when (error is SocketException or IOException or FormatException or JsonException)
        {
            tally.Fault($"{error.GetType().Name} {error.Message}: {what}");
        }
    }

    private void Judge(string path, string answer, string what)
    {
        int end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0 || !answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal))
        {
            tally.Fault($"no answer: {what}");
            return;
        }

        int status = int.Parse(answer.AsSpan(9, 3), CultureInfo.InvariantCulture);
        string head = answer[..end];
        string body = head.Contains("chunked", StringComparison.OrdinalIgnoreCase) ? Unchunk(answer[(end + 4)..]) : answer[(end + 4)..];
        if (status >= 500 && status != 503)
        {
            tally.Fault($"status {status}: {what}: {Short(body)}");
            return;
        }

        if (status is 429 or 503)
        {
            Accept(head.Contains("Retry-After", StringComparison.OrdinalIgnoreCase), "asked to come again", $"no Retry-After: {what}");
            return;
        }

        if (status >= 400)
        {
            // Kestrel's own refusals (a request line that is none) have no body.
            Accept(body.Length == 0 || JsonDocument.Parse(body).RootElement.TryGetProperty("error", out _), "refused", $"status {status} without an error: {what}: {Short(body)}");
            return;
        }

        if (head.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase))
        {
            bool ended = path == "/v1/messages" ? body.Contains("event: message_stop", StringComparison.Ordinal)
                : path == "/v1/responses" ? body.Contains("event: response.completed", StringComparison.Ordinal) || body.Contains("event: response.incomplete", StringComparison.Ordinal)
                : body.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal);
            Accept(ended, "streamed", $"a stream without an end: {what}: {Short(body)}");
            return;
        }

        foreach (string line in body.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(1))
        {
            JsonDocument.Parse(line).Dispose();
        }

        tally.Count("answered");
    }

    private void Accept(bool good, string outcome, string fault)
    {
        if (good)
        {
            tally.Count(outcome);
        }
        else
        {
            tally.Fault(fault);
        }
    }

    /// <summary>Leaves in the middle: of the head, of the body, before the answer, or within it; by a proper end or by a reset.</summary>
    private async Task LeaveAsync(Socket socket, Random random, CancellationToken cancel)
    {
        (string path, string text) = Requests.Ordinary(random);
        byte[] body = Encoding.UTF8.GetBytes(text);
        byte[] all = [.. Head(path, body.Length), .. body];
        int sent = random.Next(4) == 0 ? random.Next(all.Length) : all.Length;
        await socket.SendAsync(all.AsMemory(0, sent), cancel);
        if (sent == all.Length)
        {
            await Task.Delay(random.Next(400), cancel);
            if (random.Next(2) == 0)
            {
                await socket.ReceiveAsync(new byte[random.Next(1, 800)], cancel);
            }
        }

        if (random.Next(2) == 0)
        {
            socket.LingerState = new LingerOption(true, 0);
        }

        tally.Count("left");
    }

    private async Task SlowReaderAsync(Socket socket, Random random, CancellationToken cancel)
    {
        socket.ReceiveBufferSize = 1024;
        byte[] body = Encoding.UTF8.GetBytes("""{"model":"default","prompt":"The llama","max_tokens":400,"stream":true,"ignore_eos":true,"logprobs":5}""");
        await SendAsync(socket, "/v1/completions", body, cancel);
        var buffer = new byte[64];
        for (int i = random.Next(20, 150); i > 0 && await socket.ReceiveAsync(buffer, cancel) > 0; i--)
        {
            await Task.Delay(random.Next(60), cancel);
        }

        tally.Count("read slowly");
    }

    private async Task SlowWriterAsync(Socket socket, Random random, CancellationToken cancel)
    {
        (string path, string text) = Requests.Ordinary(random);
        byte[] body = Encoding.UTF8.GetBytes(text);
        byte[] all = [.. Head(path, body.Length), .. body];
        int piece = Math.Max(1, all.Length / random.Next(5, 40));
        for (int at = 0; at < all.Length; at += piece)
        {
            await socket.SendAsync(all.AsMemory(at, Math.Min(piece, all.Length - at)), cancel);
            await Task.Delay(random.Next(60), cancel);
        }

        Judge(path, await ReadAsync(socket, cancel), path + " written slowly: " + Short(text));
    }

    /// <summary>Bytes that are no request. The server may answer or hang up.</summary>
    private async Task NonsenseAsync(Socket socket, Random random, CancellationToken cancel)
    {
        byte[] bytes = new byte[random.Next(1, 3000)];
        random.NextBytes(bytes);
        string[] lines = ["GET / HTTP/9.9\r\n\r\n", "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n\r\n", "GET /" + new string('a', 20000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"];
        try
        {
            await socket.SendAsync(random.Next(2) == 0 ? bytes : Encoding.ASCII.GetBytes(lines[random.Next(lines.Length)]), cancel);
            socket.Shutdown(SocketShutdown.Send);
            await ReadAsync(socket, cancel);
        }
        catch (SocketException)
        {
        }

        tally.Count("nonsense");
    }

    private static byte[] Head(string path, int length) =>
        Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");

    private static async Task SendAsync(Socket socket, string path, byte[] body, CancellationToken cancel)
    {
        await socket.SendAsync(Head(path, body.Length), cancel);
        for (int sent = 0; sent < body.Length;)
        {
            sent += await socket.SendAsync(body.AsMemory(sent), cancel);
        }
    }

    private static async Task<string> ReadAsync(Socket socket, CancellationToken cancel)
    {
        using var all = new MemoryStream();
        var buffer = new byte[8192];
        for (int n; (n = await socket.ReceiveAsync(buffer, cancel)) > 0;)
        {
            all.Write(buffer, 0, n);
        }

        return Encoding.UTF8.GetString(all.GetBuffer(), 0, (int)all.Length);
    }

    /// <summary>The bytes of a chunked body. Lengths are in bytes, so the text is taken apart as bytes again.</summary>
    private static string Unchunk(string chunked)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(chunked);
        using var body = new MemoryStream();
        for (int at = 0; at < bytes.Length;)
        {
            int line = bytes.AsSpan(at).IndexOf("\r\n"u8);
            if (line < 0)
            {
                break;
            }

            int size = int.Parse(Encoding.ASCII.GetString(bytes, at, line), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            at += line + 2;
            body.Write(bytes, at, Math.Min(size, bytes.Length - at));
            at += size + 2;
        }

        return Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length);
    }

    private static string Short(string text) => text.Length <= 300 ? text : text[..300] + "...";
}
