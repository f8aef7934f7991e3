using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Vizsla.Native;

namespace Vizsla.Distributed;

/// <summary>Tells rank 0 what went wrong elsewhere while it waits in a call, and notices a rank that makes no call any more.</summary>
/// <remarks>
/// Every rank counts its calls; the others send their count to rank 0 once a second. Where nothing has moved for the group's timeout and some have made
/// fewer calls than others, those are what the others wait for.
/// </remarks>
internal sealed unsafe class MpiWatch : IDisposable
{
    private const int Tag = 7;
    private const int TextRoom = 8192;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenCounts = TimeSpan.FromSeconds(1);

    // How long a failure elsewhere waits for rank 0's own, which says the same where all ranks have the same reason.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan ForOutput = TimeSpan.FromMilliseconds(500);

    private enum Kind
    {
        Count,
        Failure,
        Leaving,
    }

    private readonly MpiGroup _group;
    private readonly nint _channel;
    private readonly Action<string> _say;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _isOver = new();
    private readonly Lock _speaking = new();
    private readonly long[] _counts;
    private readonly byte[] _message = new byte[sizeof(Header) + TextRoom];
    private long _calls;
    private volatile string? _failure;
    private long _movedAt = Stopwatch.GetTimestamp();
    private int _leftCount;

    /// <param name="group">The group.</param>
    /// <param name="channel">A communicator of its own.</param>
    /// <param name="say">Told on rank 0 why the job ends.</param>
    public MpiWatch(MpiGroup group, nint channel, Action<string> say)
    {
        (_group, _channel, _say, _counts) = (group, channel, say, new long[group.Size]);
        _thread = new Thread(group.IsFirst ? Listen : Report) { IsBackground = true, Name = "MPI watch" };
        _thread.Start();
    }

    private struct Header
    {
        public int Rank;
        public Kind Kind;
        public long Value;
    }

    /// <summary>Counts a call.</summary>
    public void Enter() => Interlocked.Increment(ref _calls);

    /// <summary>Ends the job; rank 0 says why.</summary>
    public void Fail(string reason)
    {
        if (_group.IsFirst)
        {
            End(reason);
        }

        _failure = reason;

        // Rank 0 ends this process; should it be unable to, this one ends the job.
        _isOver.Wait(LastPatience);
        _group.Kill();
    }

    /// <summary>Ends the watch; on rank 0 when all others have ended theirs.</summary>
    public void Dispose()
    {
        _isOver.Set();
        _thread.Join();
        _isOver.Dispose();
    }

    private void Report()
    {
        var (sent, sentAt) = (-1L, Stopwatch.GetTimestamp());
        while (!_isOver.Wait(Pause))
        {
            if (_failure is { } failure)
            {
                Send(Kind.Failure, 0, failure);
                return;
            }

            if (Interlocked.Read(ref _calls) is var calls && calls != sent && Stopwatch.GetElapsedTime(sentAt) >= BetweenCounts)
            {
                Send(Kind.Count, calls);
                (sent, sentAt) = (calls, Stopwatch.GetTimestamp());
            }
        }

        Send(Kind.Leaving, 0);
    }

    private void Listen()
    {
        while (!_isOver.Wait(Pause) || _leftCount < _group.Size - 1)
        {
            if (_isOver.IsSet)
            {
                Thread.Sleep(Pause / 10);
            }

            if (Interlocked.Read(ref _calls) is var calls && calls != _counts[0])
            {
                (_counts[0], _movedAt) = (calls, Stopwatch.GetTimestamp());
            }

            while (Receive(out var from, out var text))
            {
                Take(from, text);
            }

            if (Stopwatch.GetElapsedTime(_movedAt) >= _group.Timeout && _counts.Min() is var least && least < _counts.Max())
            {
                var silent = Enumerable.Range(0, _group.Size).Where(rank => _counts[rank] == least).ToList();
                End(Invariant($"The others have waited {_group.Timeout.TotalSeconds:0.###} seconds for {(silent.Count == 1 ? "rank" : "ranks")} {string.Join(", ", silent)}: see whether the machine or a disk hangs there, then resume from the last checkpoint; a longer time is given with ddp_timeout."));
            }
        }
    }

    private void Take(Header from, string text)
    {
        _movedAt = Stopwatch.GetTimestamp();
        switch (from.Kind)
        {
            case Kind.Count:
                _counts[from.Rank] = from.Value;
                break;
            case Kind.Leaving:
                _leftCount++;
                break;
            default:
                _isOver.Wait(Patience);
                End($"Rank {from.Rank} of {_group.Size}: {text}");
                break;
        }
    }

    // Whoever comes first speaks; the process ends here.
    private void End(string reason)
    {
        _speaking.Enter();
        _say(reason);

        // MPICH's launcher drops what it has not passed on yet.
        Thread.Sleep(ForOutput);
        _group.Kill();
        Thread.Sleep(Timeout.Infinite);
    }

    private void Send(Kind kind, long value, string text = "")
    {
        var bytes = Encoding.UTF8.GetBytes(text.Length > TextRoom / 4 ? text[..(TextRoom / 4)] : text);
        var header = new Header { Rank = _group.Rank, Kind = kind, Value = kind == Kind.Failure ? bytes.Length : value };
        MemoryMarshal.Write(_message, in header);
        bytes.CopyTo(_message, sizeof(Header));
        fixed (byte* first = _message)
        {
            _ = _group.Library.Send(first, sizeof(Header) + bytes.Length, _group.Library.Bytes, 0, Tag, _channel);
        }
    }

    private bool Receive(out Header header, out string text)
    {
        var (library, isThere) = (_group.Library, 0);
        _ = library.Probe(library.AnySource, Tag, _channel, &isThere, library.StatusIgnore);
        (header, text) = (default, "");
        if (isThere == 0)
        {
            return false;
        }

        fixed (byte* first = _message)
        {
            _ = library.Receive(first, _message.Length, library.Bytes, library.AnySource, Tag, _channel, library.StatusIgnore);
        }

        header = MemoryMarshal.Read<Header>(_message);
        text = header.Kind == Kind.Failure ? Encoding.UTF8.GetString(_message, sizeof(Header), (int)header.Value) : "";
        return true;
    }
}
