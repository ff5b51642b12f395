// An agent that uses the tools of an MCP server: this program is both, and starts itself as the server.
//   dotnet run --project samples/Puna.Samples.Agent -- [--model PATH] "How much is 37 times 12?"
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Server;
using Puna.Extensions.AI;
using Puna.Samples;

if (args is ["--server"])
{
    await RunServer();
    return;
}

string? path = args is ["--model", var named, ..] ? named : null;
string question = args.Length > (path is null ? 0 : 2) ? args[^1] : "How much is 37 times 12?";

var services = new ServiceCollection();
services.AddLogging();
services.AddLlamaEngine("agent", options => options.OpenModel = ops => SampleModel.Open(path, ops)).AddChatClient().UseFunctionInvocation(configure: client => client.MaximumIterationsPerRequest = 3);
await using ServiceProvider provider = services.BuildServiceProvider();

var transport = new StdioClientTransport(new StdioClientTransportOptions { Name = "calculator", Command = Environment.ProcessPath!, Arguments = ServerArguments() });
await using McpClient server = await McpClient.CreateAsync(transport);
IList<McpClientTool> tools = await server.ListToolsAsync();
Console.WriteLine($"tools: {string.Join(", ", tools.Select(static tool => tool.Name))}");

ChatResponse response = await provider.GetRequiredService<IChatClient>().GetResponseAsync(question, new ChatOptions { Tools = [.. tools], Temperature = 0, MaxOutputTokens = 100 });
foreach (AIContent content in response.Messages.SelectMany(static message => message.Contents))
{
    Console.WriteLine(content switch
    {
        FunctionCallContent call => $"call: {call.Name}({string.Join(", ", call.Arguments!.Select(static argument => $"{argument.Key}: {argument.Value}"))})",
        FunctionResultContent result => $"result: {result.Result}",
        TextContent text => $"answer: {text.Text}",
        _ => "",
    });
}

static async Task RunServer()
{
    HostApplicationBuilder builder = Host.CreateApplicationBuilder();
    builder.Logging.ClearProviders();
    McpServerTool calculator = McpServerTool.Create(Calculator.Compute, new McpServerToolCreateOptions { Name = "calculator", Description = "Computes whole numbers with + - * / and brackets" });
    builder.Services.AddMcpServer().WithStdioServerTransport().WithTools([calculator]);
    await builder.Build().RunAsync();
}

// Started as "dotnet Puna.Samples.Agent.dll", the assembly comes before the arguments.
static string[] ServerArguments() =>
    Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Path.Combine(AppContext.BaseDirectory, "Puna.Samples.Agent.dll"), "--server"] : ["--server"];
