"""Streamlit's guide to chat apps, over Anthropic's SDK."""

import streamlit as st
from anthropic import Anthropic

client = Anthropic()

if "messages" not in st.session_state:
    st.session_state.messages = []

for message in st.session_state.messages:
    with st.chat_message(message["role"]):
        st.markdown(message["content"])

if prompt := st.chat_input("What is up?"):
    st.session_state.messages.append({"role": "user", "content": prompt})
    with st.chat_message("user"):
        st.markdown(prompt)
    with (
        st.chat_message("assistant"),
        client.messages.stream(
            model="claude-sonnet-5-5", max_tokens=16_000, messages=st.session_state.messages
        ) as stream,
    ):
        answer = st.write_stream(stream.text_stream)
    st.session_state.messages.append({"role": "assistant", "content": answer})
