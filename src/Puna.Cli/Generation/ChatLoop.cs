using System.Text;
using Puna.Cli.Guarding;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Cli.Generation;

/// <summary>Reads lines, answers them, until the input or the user's patience ends.</summary>
internal sealed class ChatLoop(CommandContext context, OpenedModel opened, Session session, IConversation conversation, GenerationOptions options, OpenedGuard? guard = null)
{
    private readonly TextWriter _out = context.Out;
    private readonly TextWriter _notes = context.Terminal.Error;
    private readonly bool _isTyped = context.Terminal.IsTyped;

    // What a guard understands the next message from.
    private readonly List<ChatMessage> _said = [];
    private long _turn;

    /// <summary>Talks.</summary>
    /// <exception cref="OperationCanceledException">The process was asked to end.</exception>
    public void Run()
    {
        if (opened.Language.Chat!.Format is null || _isTyped)
        {
            _notes.WriteLine($"puna: {opened.Name}: {opened.Language.Chat.Explanation}{(_isTyped ? "; /help shows the commands" : "")}");
        }

        while (Read() is { } line)
        {
            if (ChatCommands.TryRead(line, out string command, out string rest))
            {
                if (command is "/exit" or "/quit")
                {
                    return;
                }

                Obey(command, rest);
            }
            else if (rest.Length > 0 || conversation.GoesOnWithoutText)
            {
                Answer(rest);
            }
        }
    }

    private string? Read()
    {
        string? line = context.Interrupts.WhileWaiting(() => context.Terminal.ReadLine("> "), context.Terminal.LeaveLine);
        context.Token.ThrowIfCancellationRequested();
        return line;
    }

    private void Obey(string command, string rest)
    {
        switch (command)
        {
            case "/help":
                _notes.Write(ChatCommands.Help + "\n");
                break;
            case "/reset":
                conversation.Reset();
                _said.Clear();
                break;
            case "/system":
                Try(() => conversation.SetSystem(rest));
                break;
            default:
                Complain(new UsageException($"unknown command {UsageException.Quote(command)} (/help shows the commands)"));
                break;
        }
    }

    private void Answer(string text)
    {
        int[]? prompt = null;
        Try(() => prompt = conversation.Ask(text));
        if (prompt is null)
        {
            return;
        }

        var reply = new StringBuilder();
        var tokens = new List<int>();
        FinishReason? finish = null;
        CancellationToken part = context.Interrupts.BeginPart();
        try
        {
            // A fixed seed gives the same conversation again, not the same words in every reply.
            GenerationOptions own = options with { StopIds = conversation.StopIds, Sampling = options.Sampling with { Seed = unchecked(options.Sampling.Seed + _turn++) } };
            ChatMessage[] said = [.. _said, new ChatMessage(ChatRole.User, text)];
            guard?.Require(said, part);
            IEnumerable<GenerationStep> steps = session.Generate(prompt, own, part);
            foreach (GenerationStep step in guard?.Hold(steps, said, part) ?? steps)
            {
                tokens.Add(step.Token);
                reply.Append(step.Text);
                finish = step.Finish;
                _out.Write(step.Text);
                _out.Flush();
            }
        }
        catch (OperationCanceledException) when (!context.Token.IsCancellationRequested)
        {
            // Ctrl-C stops this reply only.
        }
        catch (PunaException e)
        {
            conversation.TakeBack();
            Complain(e);
            return;
        }
        finally
        {
            context.Interrupts.EndPart();
            if (reply.Length > 0 && reply[^1] != '\n')
            {
                _out.Write('\n');
            }

            _out.Flush();
        }

        conversation.Reply(reply.ToString(), tokens, finish == FinishReason.Stop);
        if (tokens.Count > 0)
        {
            _said.AddRange([new ChatMessage(ChatRole.User, text), new ChatMessage(ChatRole.Assistant, reply.ToString())]);
        }

        if (finish == FinishReason.Context)
        {
            Complain(new PunaException($"context: expected at most {opened.Llama.Config.ContextLength} tokens, and they are full (/reset begins anew)"));
        }
    }

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (PunaException e)
        {
            Complain(e);
        }
    }

    // Who types can go on; a script that is answered with something else than it asked for must not.
    private void Complain(PunaException e)
    {
        if (!context.Terminal.IsInTerminal)
        {
            throw e;
        }

        _notes.WriteLine("puna: " + e.Message);
    }
}
